"""Builds a small school whose rows are written by hand and have labels, so that the table of who sees which rows can be written by hand as well."""

from typing import Any
from uuid import UUID, uuid5

from auth.viewer import ANONYMOUS, Viewer
from tests.access.nouns import NOUNS

__all__ = ["VIEWERS", "build", "uid"]

_NAMESPACE = UUID("6f1c1f0e-6d0e-4b59-9a3b-5a3d0c7b1d11")


def uid(label: str) -> UUID:
    return uuid5(_NAMESPACE, label)


# label -> role. The user of `ann` is the student Ann, and so on.
_USERS = {
    "admin": "ADMIN",
    "bursar": "BURSAR",
    "homeroom": "TEACHER",
    "math": "TEACHER",
    "eng": "TEACHER",
    "idle": "TEACHER",
    "ann": "STUDENT",
    "ben": "STUDENT",
    "cleo": "STUDENT",
    "dan": "STUDENT",
    "eve": "STUDENT",
    "g_ann": "GUARDIAN",
    "g_ben": "GUARDIAN",
    "g_none": "GUARDIAN",
}

VIEWERS: dict[str, Viewer] = {label: Viewer(uid(f"user:{label}"), role) for label, role in _USERS.items()}
VIEWERS["anonymous"] = ANONYMOUS
VIEWERS["service"] = Viewer(None, None, None, frozenset({"health:read"}))


async def build(connection: Any) -> None:
    """Ann and Ben are in class A. Cleo is in B. Dan moved from A to B within the first semester. Eve left A in the first semester.

    `homeroom` is A's own teacher. `math` teaches mathematics in A in the second semester, and in B in both. `eng` teaches English in A in the
    first semester, and is Cleo's guardian. `g_ann` is Ann's and Cleo's guardian, `g_ben` Ben's and Eve's; `g_none` is nobody's.
    So `homeroom`, who teaches English in B in the second semester, knows each of the two by a pupil of A, and sees a child of theirs by name alone.
    """

    async def add(table: str, label: str, **columns: Any) -> UUID:
        values = {"id": uid(f"{table}:{label}"), **columns}
        names, places = ", ".join(values), ", ".join(f"${n}" for n in range(1, len(values) + 1))
        await connection.execute(f"INSERT INTO {table} ({names}) VALUES ({places})", *values.values())
        return values["id"]

    def of(table: str, label: str) -> UUID:
        return uid(f"{table}:{label}")

    from datetime import UTC, date, datetime, time

    day = date
    await add("school_settings", "school", name="Test School", time_zone="UTC", currency="EUR")
    for label, role in _USERS.items():
        values = {
            "id": uid(f"user:{label}"),
            "role": role,
            "first_name": label.capitalize(),
            "last_name": "Test",
            "email": f"{label}@test.school",
        }
        await connection.execute(
            "INSERT INTO users (id, role, first_name, last_name, email, phone) VALUES ($1, $2, $3, $4, $5, '555-0100')", *values.values()
        )
        await add("sessions", label, user_id=uid(f"user:{label}"), expires_at=datetime(2100, 1, 1, tzinfo=UTC))
    await add("academic_years", "now", name="2025/26", start_date=day(2025, 8, 1), end_date=day(2026, 7, 31), is_current=True)
    for n, (start, end) in enumerate([(day(2025, 8, 1), day(2026, 1, 31)), (day(2026, 2, 1), day(2026, 7, 31))], start=1):
        await add("semesters", f"s{n}", academic_year_id=of("academic_years", "now"), name=f"S{n}", start_date=start, end_date=end)
    await add(
        "holidays",
        "autumn",
        academic_year_id=of("academic_years", "now"),
        name="Autumn",
        start_date=day(2025, 10, 27),
        end_date=day(2025, 10, 31),
    )
    await add("periods", "first", name="1", start_time=time(8), end_time=time(8, 45))
    for label in ("homeroom", "math", "eng", "idle"):
        await add("teachers", label, user_id=uid(f"user:{label}"), employee_number=f"E-{label}", joining_date=day(2020, 1, 1))
    for code in ("MATH", "ENG"):
        await add("subjects", code, code=code, name=code.title())
    await add("assessment_types", "test", code="TEST", name="Test")
    await add("fee_categories", "tuition", code="TUITION", name="Tuition", currency="EUR")
    for section, teacher in (("A", "homeroom"), ("B", None)):
        await add(
            "classes",
            section,
            academic_year_id=of("academic_years", "now"),
            teacher_id=of("teachers", teacher) if teacher else None,
            name=f"7{section}",
            grade_level=7,
            section=section,
        )
    for teacher, subject, section, semester in (
        ("eng", "ENG", "A", "s1"),
        ("math", "MATH", "A", "s2"),
        ("math", "MATH", "B", "s1"),
        ("math", "MATH", "B", "s2"),
        ("homeroom", "ENG", "B", "s2"),
    ):
        await add(
            "class_subjects",
            f"{subject}{section}{semester}",
            class_id=of("classes", section),
            subject_id=of("subjects", subject),
            teacher_id=of("teachers", teacher),
            semester_id=of("semesters", semester),
        )
    for teacher, subject in (("math", "MATH"), ("eng", "ENG")):
        await add("teacher_subjects", f"{teacher}-{subject}", teacher_id=of("teachers", teacher), subject_id=of("subjects", subject))
    for label in ("ann", "ben", "cleo", "dan", "eve"):
        await add(
            "students",
            label,
            user_id=uid(f"user:{label}"),
            student_number=f"N-{label}",
            birth_date=day(2012, 5, 5),
            enrollment_date=day(2025, 8, 1),
        )
    for label, student, section, start, end, reason, end_reason in (
        ("ann", "ann", "A", day(2025, 8, 1), None, "ENROLLED", None),
        ("ben", "ben", "A", day(2025, 8, 1), None, "ENROLLED", None),
        ("cleo", "cleo", "B", day(2025, 8, 1), None, "ENROLLED", None),
        ("dan_a", "dan", "A", day(2025, 8, 1), day(2025, 10, 31), "ENROLLED", "MOVED"),
        ("dan_b", "dan", "B", day(2025, 11, 1), None, "MOVED", None),
        ("eve", "eve", "A", day(2025, 8, 1), day(2025, 12, 20), "ENROLLED", "LEFT"),
    ):
        await add(
            "student_class_history",
            label,
            student_id=of("students", student),
            class_id=of("classes", section),
            from_date=start,
            to_date=end,
            reason=reason,
            end_reason=end_reason,
        )
    for label, user in (("g_ann", "g_ann"), ("g_ben", "g_ben"), ("g_none", "g_none"), ("g_eng", "eng")):
        await add("guardians", label, user_id=uid(f"user:{user}"))
    for guardian, student in (("g_ann", "ann"), ("g_ann", "cleo"), ("g_ben", "ben"), ("g_ben", "eve"), ("g_eng", "cleo")):
        await add(
            "guardian_students",
            f"{guardian}-{student}",
            guardian_id=of("guardians", guardian),
            student_id=of("students", student),
            relationship="OTHER",
        )
    monday = day(2025, 10, 6)
    for label, student, section, subject in (
        ("ann_day", "ann", "A", None),
        ("ann_math", "ann", "A", "MATH"),
        ("ann_eng", "ann", "A", "ENG"),
        ("ben_day", "ben", "A", None),
        ("cleo_day", "cleo", "B", None),
        ("cleo_math", "cleo", "B", "MATH"),
        ("dan_day", "dan", "A", None),
        ("eve_day", "eve", "A", None),
    ):
        await add(
            "attendance",
            label,
            student_id=of("students", student),
            class_id=of("classes", section),
            subject_id=of("subjects", subject) if subject else None,
            date=monday,
            status="PRESENT",
            marked_by=uid("user:homeroom"),
        )
    for label, section, subject in (("a_day", "A", None), ("a_math", "A", "MATH"), ("a_eng", "A", "ENG"), ("b_day", "B", None)):
        subject_id = of("subjects", subject) if subject else None
        await add(
            "registers", label, class_id=of("classes", section), subject_id=subject_id, date=monday, submitted_by=uid("user:homeroom")
        )
    for label, subject, section, published in (
        ("m1", "MATH", "A", True),
        ("m2", "MATH", "A", False),
        ("e1", "ENG", "A", True),
        ("b1", "MATH", "B", True),
    ):
        await add(
            "assessments",
            label,
            class_id=of("classes", section),
            subject_id=of("subjects", subject),
            assessment_type_id=of("assessment_types", "test"),
            semester_id=of("semesters", "s1"),
            title=label,
            assessment_date=monday,
            max_score=10,
            created_by=uid("user:math"),
            published_at=datetime(2025, 10, 9, tzinfo=UTC) if published else None,
        )
    for label, student, assessment in (
        ("ann_m1", "ann", "m1"),
        ("ann_m2", "ann", "m2"),
        ("ann_e1", "ann", "e1"),
        ("ben_m1", "ben", "m1"),
        ("cleo_b1", "cleo", "b1"),
        ("eve_e1", "eve", "e1"),
    ):
        await add(
            "grades",
            label,
            student_id=of("students", student),
            assessment_id=of("assessments", assessment),
            state="SCORED",
            score=8,
            recorded_by=uid("user:math"),
        )
    await _final_grades(connection, add, of)
    posted = await connection.fetchrow("SELECT class_id, subject_id, semester_id FROM grade_postings WHERE number = 1 ORDER BY id LIMIT 1")
    await add(
        "grade_reopenings",
        "slip",
        **dict(posted),
        after_number=1,
        reopened_by=uid("user:admin"),
        open_until=datetime(2026, 2, 1, tzinfo=UTC),
        reason="A slip",
    )
    await add("gateway_events", "event", gateway="stripe", event_id="evt_1", event_type="x", gateway_id="pi_1", problem="x", facts="{}")
    for n, student in enumerate(("ann", "ben", "cleo"), start=1):
        payment = await add(
            "payments",
            student,
            student_id=of("students", student),
            fee_category_id=of("fee_categories", "tuition"),
            academic_year_id=of("academic_years", "now"),
            due_date=day(2025, 9, 1),
            amount=100,
            currency="EUR",
            processed_by=uid("user:bursar"),
        )
        receipt = await add("receipts", student, academic_year_id=of("academic_years", "now"), number=n, issued_by=uid("user:bursar"))
        entry = {"payment_id": payment, "currency": "EUR", "method": "CASH", "processed_by": uid("user:bursar")}
        paid = await add(
            "payment_transactions", student, **entry, receipt_id=receipt, kind="PAYMENT", amount=45 if student == "ben" else 40
        )
        # Each payment has 40 left to refund.
        if student == "ben":
            await add("payment_transactions", "ben_back", **entry, kind="REFUND", amount=5, linked_id=paid, reason="Too much")
    for each in NOUNS:
        await each.rows(add, of)


async def _final_grades(connection: Any, add: Any, of: Any) -> None:
    """Mathematics is posted in A for the second semester and in B for the first, English in A for the first: of Ann alone."""
    await connection.execute("BEGIN")
    await add("grading_scales", "letters", name="Letters", is_default=True)
    await add("grading_scale_bounds", "f", scale_id=of("grading_scales", "letters"), lower_bound=0, letter="F", points=0)
    await connection.execute("COMMIT")
    await connection.execute("BEGIN")
    version = await connection.fetchval(
        "INSERT INTO grading_policies (version, content) SELECT policy_version(p), p FROM grading_policy() AS p RETURNING version"
    )
    from datetime import date

    for section, subject, semester, students in (
        ("A", "MATH", "s2", ("ann", "ben")),
        ("B", "MATH", "s1", ("cleo", "dan")),
        ("A", "ENG", "s1", ("ann",)),
    ):
        place = {"class_id": of("classes", section), "subject_id": of("subjects", subject), "semester_id": of("semesters", semester)}
        posting = await add(
            "grade_postings",
            f"{subject}{section}",
            **place,
            number=1,
            as_of=date(2026, 1, 31),
            policy_version=version,
            posted_by=uid("user:math"),
        )
        for student in students:
            await add(
                "final_grades",
                f"{student}_{subject.lower()}",
                **place,
                posting_id=posting,
                student_id=of("students", student),
                number=1,
                is_incomplete=False,
                percentage=50,
                rounded=50,
                letter="F",
                points=0,
                credits=1,
                facts='{"types": {}, "noted": []}',
            )
    await connection.execute("COMMIT")
