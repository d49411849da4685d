"""People, classes and subjects are found by what of their names is typed, in any order, best first; and prefixes and orders go by the same folds."""

from uuid import uuid4

import pytest

SEARCH = """query ($text: String!, $types: [SearchType!], $first: Int) { search(text: $text, types: $types, first: $first) {
  ... on Student { id } ... on Teacher { id } ... on Guardian { id } ... on Class { id } ... on Subject { id } } }"""
INPUTS = {
    "Student": lambda: {"studentNumber": uuid4().hex},
    "Teacher": lambda: {"employeeNumber": uuid4().hex[:12], "joiningDate": "2026-01-01"},
    "Guardian": dict,
}
NAMES = {
    ("Quéntin", "Zzóbel"): [
        "quentin",
        "QUÉNTIN",
        "zzobel",
        "Zzóbel",
        "quentin zzobel",
        "zzobel quentin",
        "Zzobel, Quentin",
        "zz que",
        "que zz",
    ],
    ("Sean", "O’Zzrien"): ["o'zzrien", "O’ZZRIEN", "ozzrien", "o zzrien", "zzrien", "sean o'zz", "O´Zzrien"],
    ("Jean-Zzuc", "de la Zzour"): ["jean zzuc", "Jean–Zzuc", "zzuc", "zzour", "la zzour", "jean zzour", "de la zzour jean", "zzour zzuc"],
    ("Zzofia", "ZzTRAẞE"): ["zzstrasse", "zztrasse", "zzofia zztrasse"],
    ("Зоя", "Ёлззкина"): ["елззкина", "ЁЛЗЗКИНА", "зоя елззкина", "елззк зоя"],
    ("زيد", "مُحززمد"): ["محززمد", "ﻣﺤﺰﺰﻣﺪ", "زيد محززمد"],
}


async def make(school, kind, first_name, last_name, **given):
    document = (
        f"mutation ($input: Create{kind}Input!) {{ create{kind}(input: $input) {{ {kind.lower()} {{ id }} userErrors {{ field code }} }} }}"
    )
    data = await school.data(document, input={"firstName": first_name, "lastName": last_name, **INPUTS[kind](), **given})
    assert data[f"create{kind}"]["userErrors"] == []
    return data[f"create{kind}"][kind.lower()]["id"]


async def found(school, text, viewer="admin@demo.school", **variables):
    return [each["id"] for each in (await school.data(SEARCH, viewer, text=text, **{"first": 50, **variables}))["search"]]


@pytest.mark.parametrize("kind", list(INPUTS))
@pytest.mark.parametrize(("name", "texts"), NAMES.items(), ids=lambda each: each[1] if isinstance(each, tuple) else "")
async def test_every_person_is_found_by_first_last_and_full_name_in_either_order(writable, kind, name, texts):
    made = await make(writable, kind, *name)
    missed = [text for text in texts if made not in await found(writable, text, types=[kind.upper()])]
    assert missed == (["zzstrasse"] if "zzstrasse" in texts else [])  # another name
    for text in (f"{name[0]} {name[1]}", f"{name[1]} {name[0]}", f"{name[1]}, {name[0]}"):
        assert (await found(writable, text, types=[kind.upper()]))[0] == made


@pytest.mark.parametrize("kind", list(INPUTS))
async def test_the_whole_name_comes_before_its_beginning_and_that_before_a_word_of_it(writable, kind):
    types = [kind.upper()]
    word = await make(writable, kind, "Ann Zzli", "Abel")
    first = await make(writable, kind, "Zzli", "Abel")
    longer = await make(writable, kind, "Ann", "Zzlisa")
    last = await make(writable, kind, "Zoe", "Zzli")
    for limit in (1, 2, 3, 4, 50):
        assert await found(writable, "zzli", types=types, first=limit) == [last, longer, first, word][:limit]
    exact = await make(writable, kind, "Zoe", "Zzli Abel")
    assert await found(writable, "abel zzli", types=types) == [first, word, exact]
    assert await found(writable, "zzli abel", types=types, first=1) == [first]
    assert await found(writable, "zoe zzli", types=types) == [last, exact]


async def test_a_person_whose_words_begin_alike_is_found_once(writable):
    made = await make(writable, "Student", "Zzan Zzanna", "Zzander", studentNumber="Zzan")
    assert await found(writable, "zzan") == [made]
    assert await found(writable, "zzan zzan") == [made]


async def test_a_student_number_is_found_whatever_its_case(writable):
    by_name = await make(writable, "Student", "Ada", "Zz 17abel")
    made = await make(writable, "Student", "Ida", "Lund", studentNumber="zZ-17A")
    for text in ("zz-17a", "ZZ-17A", "Zz–17a", "ｚｚ-17a"):
        assert await found(writable, text) == [made, by_name]


async def test_classes_and_subjects_are_found_by_words_and_codes(writable):
    document = "mutation ($input: CreateSubjectInput!) { createSubject(input: $input) { subject { id } userErrors { field code } } }"
    data = await writable.data(document, input={"code": "ZZPE", "name": "Zzéducation Physique"})
    made = data["createSubject"]["subject"]["id"]
    for text in ("zzpe", "zzeducation", "physique zzed", "ZZÉDUCATION PHYSIQUE"):
        assert await found(writable, text, types=["SUBJECT"]) == [made], text
    data = await writable.data('{ subjects(filter: {namePrefix: "ZZEDU"}) { nodes { id } } }')
    assert [each["id"] for each in data["subjects"]["nodes"]] == [made]
    await writable.database.execute("UPDATE classes SET name = 'Zzrüne Gruppe' WHERE id = (SELECT id FROM classes ORDER BY id LIMIT 1)")
    for text in ("zzrune", "gruppe", "gruppe zzr"):
        assert len(await found(writable, text, types=["CLASS"])) == 1, text


@pytest.mark.parametrize("text", ["-", "’", "'", "\\", "'\\''", "a & b | !c <-> d", "x:*", "%", "_", "zz'; DROP", "\u0001", "a\u200d", "٠"])
async def test_signs_are_looked_for_as_signs(writable, text):
    assert isinstance(await found(writable, text), list)


async def test_a_text_without_letters_finds_nobody(writable):
    assert await found(writable, "-’.") == []


async def test_prefixes_are_folded_as_search_is(writable):
    prefixes = ["o'qwr", "O’Qwr", "ÓQWR"]
    for kind in INPUTS:
        made = await make(writable, kind, "Séan", "O’Qwrien")
        listed = f"{kind.lower()}s"
        query = f"query ($text: String!) {{ {listed}(filter: {{namePrefix: $text}}) {{ nodes {{ id }} }} }}"
        for prefix in prefixes:
            assert [each["id"] for each in (await writable.data(query, text=prefix))[listed]["nodes"]] == [made]
    document = "query ($text: String!) { users(filter: {%s: $text}) { totalCount nodes { firstName } } }"
    for prefix in prefixes:
        assert (await writable.data(document % "lastNamePrefix", text=prefix))["users"]["totalCount"] == 3
    await make(writable, "Guardian", "Qw’Éa", "Lund")
    for text in ("qw'e", "QWE", "Qw´éa"):
        assert (await writable.data(document % "firstNamePrefix", text=text))["users"]["nodes"] == [{"firstName": "Qw’Éa"}]


async def test_names_with_either_apostrophe_or_hyphen_sort_together(writable):
    last_names = ["O’Xxa", "O'Xxb", "OXxc", "Ó’Xxd", "Xx-a", "Xx–b", "Xx c", "Xxå"]
    for name in reversed(last_names):
        await make(writable, "Student", "Ida", name)
    data = await writable.data(
        '{ a: students(filter: {namePrefix: "oxx"}) { nodes { lastName } } b: students(filter: {namePrefix: "xx"}) { nodes { lastName } } }'
    )
    assert [each["lastName"] for part in "ab" for each in data[part]["nodes"]] == last_names


async def test_a_renamed_person_is_found_by_the_new_name_alone(writable):
    made = await make(writable, "Teacher", "Ida", "Zzold")
    row = await writable.data("query ($id: ID!) { teacher(id: $id) { version } }", id=made)
    document = "mutation ($input: UpdateTeacherInput!) { updateTeacher(input: $input) { userErrors { code } } }"
    given = {"id": made, "lastName": "Zznéw", "version": row["teacher"]["version"]}
    assert (await writable.data(document, input=given))["updateTeacher"]["userErrors"] == []
    assert await found(writable, "zznew ida") == [made]
    assert await found(writable, "zzold") == []


async def test_hidden_people_change_neither_rank_nor_number(writable):
    """A page of a teacher's is full of what the teacher sees, however many others would come first."""
    seen = [
        f"stu_{each['id'].hex}"
        for each in await writable.database.fetch(
            "SELECT s.id FROM students s JOIN users u ON u.id = s.user_id WHERE u.email = 'student@demo.school'"
        )
    ]
    own = await writable.database.fetchrow("SELECT first_name, last_name FROM users WHERE email = 'student@demo.school'")
    before = await found(writable, own["first_name"], "student@demo.school", types=["STUDENT"], first=1)
    for n in range(60):
        await writable.database.execute(
            "WITH u AS (INSERT INTO users (role, first_name, last_name) VALUES ('STUDENT', $1, $1) RETURNING id)"
            " INSERT INTO students (user_id, student_number, enrollment_date) SELECT id, $2, '2026-01-01' FROM u",
            own["first_name"],
            f"hidden{n}",
        )
    for text in (own["first_name"], own["last_name"], f"{own['first_name']} {own['last_name']}", own["first_name"][:2]):
        assert await found(writable, text, "student@demo.school", types=["STUDENT"], first=1) == seen == before
    assert await found(writable, "hidden0", "student@demo.school", types=["STUDENT"]) == []
