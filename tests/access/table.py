"""Defines the access table by hand: for each noun, the rows that each viewer of the small school sees. Viewers that are not named see none."""

from tests.access.nouns import NOUNS

_STUDENTS = {"ann", "ben", "cleo", "dan", "eve"}
_ATTENDANCE = {"ann_day", "ann_math", "ann_eng", "ben_day", "cleo_day", "cleo_math", "dan_day", "eve_day"}
_GRADES = {"ann_m1", "ann_m2", "ann_e1", "ben_m1", "cleo_b1", "eve_e1"}
_FINAL = {"ann_math", "ann_eng", "ben_math", "cleo_math", "dan_math"}
_MEMBERSHIPS = {"ann", "ben", "cleo", "dan_a", "dan_b", "eve"}
_LINKS = {"g_ann-ann", "g_ann-cleo", "g_ben-ben", "g_ben-eve", "g_eng-cleo"}
_USERS = {"admin", "bursar", "homeroom", "math", "eng", "idle", "ann", "ben", "cleo", "dan", "eve", "g_ann", "g_ben", "g_none"}
_TEACHERS = {"homeroom", "math", "eng", "idle"}
_SIGNED_IN = _USERS

# The noun of each GraphQL type with a global id.
TYPES = {
    "AcademicYear": "academic_years",
    "Assessment": "assessments",
    "AssessmentType": "assessment_types",
    "Attendance": "attendance",
    "Charge": "payments",
    "Class": "classes",
    "ClassMembership": "student_class_history",
    "ClassSubject": "class_subjects",
    "FeeCategory": "fee_categories",
    "FinalGrade": "final_grades",
    "GatewayEvent": "gateway_events",
    "Grade": "grades",
    "GradeReopening": "grade_reopenings",
    "GradingScale": "grading_scales",
    "Guardian": "guardians",
    "Guardianship": "guardian_students",
    "Holiday": "holidays",
    "PaymentTransaction": "payment_transactions",
    "Period": "periods",
    "Receipt": "receipts",
    "Register": "registers",
    "School": "school_settings",
    "Semester": "semesters",
    "Student": "students",
    "Subject": "subjects",
    "Teacher": "teachers",
    "User": "user",
    "UserSession": "sessions",
    **{each.type_name: each.table for each in NOUNS},
}

SEES: dict[str, dict[str, set[str]]] = {
    "students": {
        "admin": _STUDENTS,
        "bursar": _STUDENTS,
        "homeroom": _STUDENTS,
        "math": {"ann", "ben", "cleo", "dan"},
        "eng": {"ann", "ben", "dan", "eve", "cleo"},
        "ann": {"ann"},
        "ben": {"ben"},
        "cleo": {"cleo"},
        "dan": {"dan"},
        "eve": {"eve"},
        "g_ann": {"ann", "cleo"},
        "g_ben": {"ben", "eve"},
    },
    "guardians": {
        "admin": {"g_ann", "g_ben", "g_none", "g_eng"},
        "bursar": {"g_ann", "g_ben", "g_none", "g_eng"},
        "homeroom": {"g_ann", "g_ben"},
        "eng": {"g_eng"},
        "ann": {"g_ann"},
        "ben": {"g_ben"},
        "cleo": {"g_ann", "g_eng"},
        "eve": {"g_ben"},
        "g_ann": {"g_ann"},
        "g_ben": {"g_ben"},
        "g_none": {"g_none"},
    },
    "guardian_students": {
        "admin": _LINKS,
        "bursar": _LINKS,
        # Without the guardians of Cleo, whom they only teach, and of Eve, who has left.
        "homeroom": {"g_ann-ann", "g_ben-ben"},
        "eng": {"g_eng-cleo"},
        "ann": {"g_ann-ann"},
        "ben": {"g_ben-ben"},
        "cleo": {"g_ann-cleo", "g_eng-cleo"},
        "eve": {"g_ben-eve"},
        "g_ann": {"g_ann-ann", "g_ann-cleo"},
        "g_ben": {"g_ben-ben", "g_ben-eve"},
    },
    "teachers": dict.fromkeys(_SIGNED_IN, _TEACHERS),
    "classes": dict.fromkeys(_SIGNED_IN, {"A", "B"}),
    "subjects": dict.fromkeys(_SIGNED_IN, {"MATH", "ENG"}),
    "class_subjects": dict.fromkeys(_SIGNED_IN, {"ENGAs1", "MATHAs2", "MATHBs1", "MATHBs2", "ENGBs2"}),
    "academic_years": dict.fromkeys(_SIGNED_IN, {"now"}),
    "semesters": dict.fromkeys(_SIGNED_IN, {"s1", "s2"}),
    "holidays": dict.fromkeys(_SIGNED_IN, {"autumn"}),
    "periods": dict.fromkeys(_SIGNED_IN, {"first"}),
    "assessment_types": dict.fromkeys(_SIGNED_IN, {"test"}),
    "fee_categories": dict.fromkeys(_SIGNED_IN, {"tuition"}),
    "school_settings": dict.fromkeys(_SIGNED_IN, {"school"}),
    "student_class_history": {
        "admin": _MEMBERSHIPS,
        "homeroom": _MEMBERSHIPS,
        "math": {"ann", "ben", "cleo", "dan_a", "dan_b"},
        "eng": _MEMBERSHIPS,
        "ann": {"ann"},
        "ben": {"ben"},
        "cleo": {"cleo"},
        "dan": {"dan_a", "dan_b"},
        "eve": {"eve"},
        "g_ann": {"ann", "cleo"},
        "g_ben": {"ben", "eve"},
    },
    "attendance": {
        "admin": _ATTENDANCE,
        "homeroom": {"ann_day", "ann_math", "ann_eng", "ben_day", "dan_day", "eve_day", "cleo_day"},
        "math": {"ann_day", "ann_math", "ben_day", "dan_day", "cleo_day", "cleo_math"},
        "eng": {"ann_day", "ann_eng", "ben_day", "dan_day", "eve_day", "cleo_day", "cleo_math"},
        "ann": {"ann_day", "ann_math", "ann_eng"},
        "ben": {"ben_day"},
        "cleo": {"cleo_day", "cleo_math"},
        "dan": {"dan_day"},
        "eve": {"eve_day"},
        "g_ann": {"ann_day", "ann_math", "ann_eng", "cleo_day", "cleo_math"},
        "g_ben": {"ben_day", "eve_day"},
    },
    "registers": {
        "admin": {"a_day", "a_math", "a_eng", "b_day"},
        "homeroom": {"a_day", "a_math", "a_eng", "b_day"},
        "math": {"a_day", "a_math", "b_day"},
        "eng": {"a_day", "a_eng"},
    },
    "assessments": {
        "admin": {"m1", "m2", "e1", "b1"},
        "homeroom": {"m1", "m2", "e1"},
        "math": {"m1", "m2", "b1"},
        "eng": {"e1", "b1"},
        "ann": {"m1", "e1"},
        "ben": {"m1", "e1"},
        "cleo": {"b1"},
        "dan": {"m1", "e1", "b1"},
        "eve": {"m1", "e1"},
        "g_ann": {"m1", "e1", "b1"},
        "g_ben": {"m1", "e1"},
    },
    "grades": {
        "admin": _GRADES,
        "homeroom": {"ann_m1", "ann_m2", "ann_e1", "ben_m1", "eve_e1"},
        "math": {"ann_m1", "ann_m2", "ben_m1", "cleo_b1"},
        "eng": {"ann_e1", "eve_e1", "cleo_b1"},
        "ann": {"ann_m1", "ann_e1"},
        "ben": {"ben_m1"},
        "cleo": {"cleo_b1"},
        "eve": {"eve_e1"},
        "g_ann": {"ann_m1", "ann_e1", "cleo_b1"},
        "g_ben": {"ben_m1", "eve_e1"},
    },
    # Ann's and Ben's of class A in the second semester, Cleo's and Dan's of B in the first, Ann's English of A in the first.
    "final_grades": {
        "admin": _FINAL,
        "homeroom": _FINAL,
        "math": _FINAL,
        "eng": {"ann_math", "ann_eng", "ben_math", "cleo_math"},
        "ann": {"ann_math", "ann_eng"},
        "ben": {"ben_math"},
        "cleo": {"cleo_math"},
        "dan": {"dan_math"},
        "g_ann": {"ann_math", "ann_eng", "cleo_math"},
        "g_ben": {"ben_math"},
    },
    "grading_scales": dict.fromkeys(_SIGNED_IN, {"letters"}),
    **{
        noun: {
            "admin": {"ann", "ben", "cleo"},
            "bursar": {"ann", "ben", "cleo"},
            "eng": {"cleo"},
            "ann": {"ann"},
            "ben": {"ben"},
            "cleo": {"cleo"},
            "g_ann": {"ann", "cleo"},
            "g_ben": {"ben"},
        }
        for noun in ("payments", "receipts")
    },
    "payment_transactions": {
        "admin": {"ann", "ben", "ben_back", "cleo"},
        "bursar": {"ann", "ben", "ben_back", "cleo"},
        "eng": {"cleo"},
        "ann": {"ann"},
        "ben": {"ben", "ben_back"},
        "cleo": {"cleo"},
        "g_ann": {"ann", "cleo"},
        "g_ben": {"ben", "ben_back"},
    },
    "sessions": {"admin": _USERS, **{label: {label} for label in _USERS - {"admin"}}},
    "grade_reopenings": {"admin": {"slip"}},
    "gateway_events": {"admin": {"event"}, "bursar": {"event"}},
    "user": {"admin": _USERS, "bursar": _USERS, **{label: {label} for label in _USERS - {"admin", "bursar"}}},
    **{each.table: each.sees for each in NOUNS},
}

# Fields that may be hidden on a visible row: for each, the rows on which each viewer may read it. Elsewhere it is null, with a FORBIDDEN error.
FIELDS: dict[tuple[str, str], dict[str, set[str]]] = {
    ("students", "birthDate"): {
        "admin": _STUDENTS,
        "homeroom": {"ann", "ben"},
        "eng": {"cleo"},
        "ann": {"ann"},
        "ben": {"ben"},
        "cleo": {"cleo"},
        "dan": {"dan"},
        "eve": {"eve"},
        "g_ann": {"ann", "cleo"},
        "g_ben": {"ben", "eve"},
    },
    **{
        ("students", field): {
            "admin": _STUDENTS,
            "bursar": _STUDENTS,
            "homeroom": {"ann", "ben"},
            "eng": {"cleo"},
            "ann": {"ann"},
            "ben": {"ben"},
            "cleo": {"cleo"},
            "dan": {"dan"},
            "eve": {"eve"},
            "g_ann": {"ann", "cleo"},
            "g_ben": {"ben", "eve"},
        }
        for field in ("contact { email }", "guardians { nodes { id } }", "guardianships { nodes { id } }")
    },
    **{
        ("teachers", field): {"admin": _TEACHERS, **{label: {label} for label in _TEACHERS}}
        for field in ("employeeNumber", "contact { email }")
    },
    **{
        ("user", field): {"admin": _USERS, **{label: {label} for label in _USERS - {"admin"}}}
        for field in ("contact { email }", "role", "isActive", "altId", "createdAt", "version", "sessions { nodes { id } }")
    },
}

# Edges from one noun to another by rows that are a noun themselves (type, field): the end is there where the viewer sees the row "parent-end", too.
LINKED_BY = {("Guardian", "students"): "guardian_students"}
