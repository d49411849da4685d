"""Announcements: who reads and writes them, never ahead of their time, once for each idempotency key."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from tests.access.noun import Noun

ADMIN, TEACHER = "admin@demo.school", "teacher@demo.school"
READERS = ["bursar@demo.school", "student@demo.school", "guardian@demo.school", "teacher@demo.school"]
# Later on the day that it is in the school.
LATER = "2026-03-18T12:00:00+01:00"


async def _rows(add, of):
    for label, author, section, published_at in (
        ("school", "admin", None, datetime(2025, 10, 1, tzinfo=UTC)),
        ("a", "homeroom", "A", datetime(2025, 10, 6, tzinfo=UTC)),
        ("b", "math", "B", datetime(2025, 10, 6, tzinfo=UTC)),
        # After Dan moved from A to B, and Eve left A.
        ("a_later", "homeroom", "A", datetime(2026, 1, 15, tzinfo=UTC)),
        ("ahead", "admin", None, datetime(2100, 1, 1, tzinfo=UTC)),
        ("a_ahead", "homeroom", "A", datetime(2100, 1, 1, tzinfo=UTC)),
    ):
        await add(
            "announcements",
            label,
            class_id=of("classes", section) if section else None,
            author_id=of("user", author),
            title=label,
            body="Text",
            published_at=published_at,
        )


NOUN = Noun(
    table="announcements",
    tag="ann",
    type_name="Announcement",
    list_field="announcements",
    by_id_field="announcement",
    rule="announcements",
    rows=_rows,
    sees={
        "admin": {"school", "a", "b", "a_later", "ahead", "a_ahead"},
        "bursar": {"school"},
        "homeroom": {"school", "a", "b", "a_later", "a_ahead"},
        "math": {"school", "a", "b", "a_later"},
        "eng": {"school", "a", "b", "a_later"},
        "idle": {"school"},
        "ann": {"school", "a", "a_later"},
        "ben": {"school", "a", "a_later"},
        "cleo": {"school", "b"},
        "dan": {"school", "a", "b"},
        "eve": {"school", "a"},
        "g_ann": {"school", "a", "b", "a_later"},
        "g_ben": {"school", "a", "a_later"},
        "g_none": {"school"},
    },
    writers=dict.fromkeys(["createAnnouncement", "updateAnnouncement", "deleteAnnouncement"], {"admin", "teacher"}),
)


async def run(school, name, /, email=ADMIN, **given):
    kind = f"{name[0].upper()}{name[1:]}Input"
    shown = "deletedId" if name.startswith("delete") else "announcement { id title body publishedAt version class { id } author { id } }"
    query = f"mutation ($input: {kind}!) {{ {name}(input: $input) {{ {shown} userErrors {{ field code message }} }} }}"
    return await school.ask(query, email, input=given)


async def create(school, email=ADMIN, /, **given):
    values = {"title": f"Trip {uuid4()}", "body": "On Friday.\nBring a coat.", "idempotencyKey": str(uuid4()), **given}
    answer = await run(school, "createAnnouncement", email, **values)
    return answer.data["createAnnouncement"] if answer.data else answer


async def titles(school, email):
    return [
        each["title"] for each in (await school.data("{ announcements(first: 100) { nodes { title } } }", email))["announcements"]["nodes"]
    ]


async def own_class(school):
    """The class of student@demo.school, with teacher@demo.school as its own teacher."""
    row = await school.database.fetchrow(
        "SELECT s.class_id, t.id FROM students s JOIN users u ON u.id = s.user_id, teachers t JOIN users v ON v.id = t.user_id"
        " WHERE u.email = 'student@demo.school' AND v.email = $1",
        TEACHER,
    )
    async with school.database.transaction() as connection:
        await connection.execute("UPDATE classes SET teacher_id = $2 WHERE id = $1", *row)
    return f"cls_{row['class_id'].hex}"


async def foreign_class(school):
    """A class in which teacher@demo.school does not teach."""
    return await school.id(
        "cls",
        "SELECT c.id FROM classes c WHERE c.is_active AND NOT EXISTS (SELECT FROM teachers t JOIN users u ON u.id = t.user_id WHERE u.email ="
        f" '{TEACHER}' AND (t.id = c.teacher_id OR t.id IN (SELECT cs.teacher_id FROM class_subjects cs WHERE cs.class_id = c.id))) LIMIT 1",
    )


async def traces(school):
    return await school.database.fetchrow(
        "SELECT (SELECT count(*) FROM announcements), (SELECT count(*) FROM audit_logs), (SELECT count(*) FROM idempotency_keys)"
    )


async def test_the_whole_school_reads_what_an_administrator_announces_to_it(writable):
    made = await create(writable)
    assert made["userErrors"] == []
    assert made["announcement"] | {"class": None, "body": "On Friday.\nBring a coat."} == made["announcement"]
    for email in READERS:
        assert made["announcement"]["title"] in await titles(writable, email), email


async def test_a_teacher_announces_to_their_class_and_others_do_not_read_it(writable):
    room = await own_class(writable)
    made = await create(writable, TEACHER, classId=room)
    assert made["announcement"]["class"] == {"id": room}
    assert made["announcement"]["title"] in await titles(writable, "student@demo.school")
    assert made["announcement"]["title"] not in await titles(writable, "bursar@demo.school")


async def test_nobody_reads_an_announcement_ahead_of_its_time_but_its_author_and_administrators(writable):
    made = (await create(writable, TEACHER, classId=await own_class(writable), publishedAt=LATER))["announcement"]
    find = "query ($id: ID!) { announcement(id: $id) { id } node(id: $id) { id } nodes(ids: [$id]) { id } announcements { totalCount } }"
    for email in READERS:
        found = await writable.data(find, email, id=made["id"])
        assert [found["announcement"], found["node"], *found["nodes"]] == ([{"id": made["id"]}] if email == TEACHER else [None]) * 3, email
        assert (made["title"] in await titles(writable, email)) == (email == TEACHER), email
    assert made["title"] in await titles(writable, ADMIN)
    async with writable.database.transaction() as connection:
        # The clock of this school stands still: what was to come at noon comes four hours earlier instead.
        await connection.execute(
            "UPDATE announcements SET published_at = published_at - interval '4 hours' WHERE title = $1", made["title"]
        )
    assert made["title"] in await titles(writable, "student@demo.school")


async def test_a_teacher_announces_neither_to_the_whole_school_nor_to_a_class_of_others(writable):
    before = await traces(writable)
    assert [(each["field"], each["code"]) for each in (await create(writable, TEACHER))["userErrors"]] == [("classId", "REQUIRED")]
    refused = await create(writable, TEACHER, classId=await foreign_class(writable))
    assert refused.codes == ["FORBIDDEN"]
    assert await traces(writable) == before


async def test_a_teacher_changes_no_announcement_to_a_class_of_others_nor_to_the_whole_school(writable):
    made = [(await create(writable, classId=await foreign_class(writable)))["announcement"]]
    made.append((await create(writable))["announcement"])
    before = await traces(writable)
    for each in made:
        for name, given in (("updateAnnouncement", {"version": each["version"], "title": "Mine"}), ("deleteAnnouncement", {})):
            answer = await run(writable, name, TEACHER, id=each["id"], **given)
            errors = answer.data[name]["userErrors"] if answer.data else answer.errors
            assert errors, name
    assert await traces(writable) == before


async def test_who_taught_in_a_class_before_reads_its_announcements_and_writes_none(writable):
    """The demo school is in its second semester: the teacher gave lessons in the class in the first alone."""
    room = await foreign_class(writable)
    async with writable.database.transaction() as connection:
        await connection.execute(
            "UPDATE class_subjects SET teacher_id = (SELECT t.id FROM teachers t JOIN users u ON u.id = t.user_id WHERE u.email = $1) WHERE id = ("
            "SELECT cs.id FROM class_subjects cs JOIN semesters m ON m.id = cs.semester_id WHERE cs.class_id = $2 AND m.end_date < '2026-03-18' LIMIT 1)",
            TEACHER,
            room[4:],
        )
    made = (await create(writable, classId=room))["announcement"]
    assert made["title"] in await titles(writable, TEACHER)
    before = await traces(writable)
    for name, given in (
        ("createAnnouncement", {"classId": room, "title": "Mine", "body": "Mine", "idempotencyKey": str(uuid4())}),
        ("updateAnnouncement", {"id": made["id"], "version": made["version"], "title": "Mine"}),
        ("deleteAnnouncement", {"id": made["id"]}),
    ):
        assert (await run(writable, name, TEACHER, **given)).codes == ["FORBIDDEN"], name
    assert await traces(writable) == before


async def test_an_announcement_is_made_once_for_an_idempotency_key(writable):
    given = {"title": f"Once {uuid4()}", "idempotencyKey": str(uuid4())}
    first, again = await create(writable, **given), await create(writable, **given)
    assert first == again
    assert await writable.value("SELECT count(*) FROM announcements WHERE title = $1", given["title"]) == 1


async def test_an_announcement_is_changed_from_the_version_that_was_read(writable):
    made = (await create(writable))["announcement"]
    change = {"id": made["id"], "version": made["version"]}
    changed = (await run(writable, "updateAnnouncement", **change, title="Trip to the sea")).data["updateAnnouncement"]
    assert changed["announcement"]["title"] == "Trip to the sea"
    stale = (await run(writable, "updateAnnouncement", **change, title="Trip to the hills")).data["updateAnnouncement"]
    assert [each["code"] for each in stale["userErrors"]] == ["CONFLICT"]
    assert stale["announcement"]["title"] == "Trip to the sea"


async def test_a_deleted_announcement_is_gone_for_everybody(writable):
    made = (await create(writable))["announcement"]
    gone = (await run(writable, "deleteAnnouncement", id=made["id"])).data["deleteAnnouncement"]
    assert gone == {"deletedId": made["id"], "userErrors": []}
    assert (await writable.data("query ($id: ID!) { announcement(id: $id) { id } }", ADMIN, id=made["id"]))["announcement"] is None


@pytest.mark.parametrize("given", [{"title": " ", "body": "\n"}, {"title": "x" * 201, "body": "x" * 5_001}])
async def test_all_that_is_wrong_with_an_announcement_is_said_at_once(writable, given):
    errors = (await create(writable, **given))["userErrors"]
    assert sorted((each["field"], each["code"]) for each in errors) == [("body", "INVALID"), ("title", "INVALID")]


async def test_announcements_are_filtered_by_class_by_audience_and_by_whether_they_are_published(writable):
    room = await own_class(writable)
    await create(writable, classId=room, title="Class")
    await create(writable, title="Everyone", publishedAt="2027-01-01T00:00:00Z")
    query = "query ($filter: AnnouncementFilter) { announcements(filter: $filter, first: 100) { totalCount nodes { title class { id } } } }"
    for filters, there, missing in (
        ({"classIds": [room]}, "Class", "Everyone"),
        ({"isSchoolWide": True}, "Everyone", "Class"),
        ({"isSchoolWide": False}, "Class", "Everyone"),
        ({"isPublished": True}, "Class", "Everyone"),
        ({"isPublished": False}, "Everyone", "Class"),
    ):
        found = (await writable.data(query, ADMIN, filter=filters))["announcements"]
        names = [each["title"] for each in found["nodes"]]
        assert there in names, filters
        assert missing not in names, filters
        assert found["totalCount"] == len(names)
