"""Tests that every text in every mutation's input, and every search text, is checked by the same rule (rules/text.py)."""

import unicodedata

import pytest
from graphql import GraphQLInputObjectType, GraphQLList, GraphQLNonNull, GraphQLString

from tests.schema.plausible_ids import plausible_ids
from tests.schema.test_hostile_values import ROOTS, fine

# Secrets are compared, not shown: a password may have any character.
SECRETS = {"signIn", "refreshSession", "changePassword", "resetPassword"}
TURNED = "a\u202eb"
# Marks of two combining classes in turns: `normalize` takes 16 seconds to put so many in order.
TOWER = "a" + "\u0301\u0316" * 65_000
LOOKED_FOR = {
    "text": "search(text: $text) { __typename }",
    "studentNumber": "studentByNumber(studentNumber: $text) { id }",
    "filter.codes": "subjects(filter: {codes: [$text]}) { totalCount }",
    "filter.namePrefix": "students(filter: {namePrefix: $text}) { totalCount }",
    "filter.email": "users(filter: {email: $text}) { totalCount }",
}


def bare(kind):
    return bare(kind.of_type) if isinstance(kind, GraphQLNonNull) else kind


@pytest.fixture
def normalised(monkeypatch):
    """Records the long texts that are normalised, of which there must be none."""
    normalize, seen = unicodedata.normalize, []

    def noted(form, text):
        if len(text) > 1_024:
            seen.append(text)
            return text
        return normalize(form, text)

    monkeypatch.setattr(unicodedata, "normalize", noted)
    return seen


def texts(kind, ids, text=TURNED):
    """Inputs of a type with one such text each: the text's path as a user error names it, and the input."""
    whole = fine(kind, ids)
    for name, field in bare(kind).fields.items():
        inner, is_list = bare(field.type), False
        if isinstance(inner, GraphQLList):
            inner, is_list = bare(inner.of_type), True
        if inner is GraphQLString:
            yield (f"{name}.0" if is_list else name), {**whole, name: [text] if is_list else text}
        elif isinstance(inner, GraphQLInputObjectType):
            for path, given in texts(inner, ids, text):
                yield (f"{name}.0.{path}" if is_list else f"{name}.{path}"), {**whole, name: [given] if is_list else given}


@pytest.mark.parametrize("name", sorted(ROOTS["mutation"].keys() - SECRETS))
async def test_every_text_of_an_input_is_held_to_the_rule(writable, name):
    kind = ROOTS["mutation"][name].args["input"].type
    for path, given in texts(kind, await plausible_ids(writable)):
        document = f"mutation ($input: {kind}) {{ {name}(input: $input) {{ userErrors {{ field code message }} }} }}"
        answer = await writable.ask(document, input=given)
        assert answer.errors == [], (path, answer.errors)
        errors = [each for each in answer.data[name]["userErrors"] if each["field"] == path]
        assert [each["code"] in ("INVALID", "NAME_NOT_VALID") for each in errors] == [True], (path, answer.data)
        assert "U+202E" in errors[0]["message"]


@pytest.mark.parametrize("name", sorted(ROOTS["mutation"]))
async def test_no_text_of_an_input_is_normalised_that_would_take_long(writable, normalised, name):
    if "input" not in ROOTS["mutation"][name].args:
        return
    kind = ROOTS["mutation"][name].args["input"].type
    for path, given in texts(kind, await plausible_ids(writable), TOWER):
        document = f"mutation ($input: {kind}) {{ {name}(input: $input) {{ userErrors {{ field code message }} }} }}"
        answer = await writable.ask(document, input=given)
        assert normalised == [], path
        if name not in SECRETS:
            assert answer.errors == [], (path, answer.errors)
            errors = [each for each in answer.data[name]["userErrors"] if each["field"] == path]
            assert [each["code"] in ("INVALID", "NAME_NOT_VALID") for each in errors] == [True], (path, answer.data)
            assert "20,000" in errors[0]["message"]


@pytest.mark.parametrize("argument", sorted(LOOKED_FOR))
@pytest.mark.parametrize("text", [TOWER, "a" + "\u0301\u0316" * 16], ids=["a body", "a short one"])
async def test_no_text_is_looked_for_that_would_take_long_to_normalise(writable, normalised, argument, text):
    answer = await writable.ask(f"query ($text: String!) {{ {LOOKED_FOR[argument]} }}", text=text)
    assert normalised == []
    assert answer.codes == ["BAD_USER_INPUT"]
    assert answer.errors[0]["extensions"]["argument"] == argument
    assert answer.statements == 0


async def test_texts_are_kept_in_one_form_and_found_by_any(writable):
    """Checks composed and decomposed accents, and invisible characters that come with copied names."""
    create = "mutation ($input: CreateStudentInput!) { createStudent(input: $input) { student { id lastName address: contact { address } } userErrors { field code } } }"
    given = {
        "firstName": "\u200bZoe\u0308\ufeff",
        "lastName": "Ange\u0301lique ",
        "studentNumber": "Nume\u0301ro 1",
        "address": "Rue 1\r\nVille",
    }
    made = (await writable.data(create, input=given))["createStudent"]
    assert made["userErrors"] == []
    assert made["student"]["lastName"] == "Angélique"
    assert made["student"]["address"]["address"] == "Rue 1\nVille"
    for number in ("Numéro 1", "Nume\u0301ro 1"):
        found = await writable.data("query ($number: String!) { studentByNumber(studentNumber: $number) { firstName } }", number=number)
        assert found["studentByNumber"] == {"firstName": "Zoë"}
    for text in ("Angélique", "Ange\u0301lique", "\ufeffange"):
        found = await writable.data("query ($text: String!) { search(text: $text, types: [STUDENT]) { ... on Student { id } } }", text=text)
        assert made["student"]["id"] in [each["id"] for each in found["search"]]


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
@pytest.mark.parametrize(
    ("field", "argument"),
    [("subjects(filter: {codes: [$text]})", "filter.codes"), ("students(filter: {namePrefix: $text})", "filter.namePrefix")],
)
async def test_what_cannot_be_stored_is_looked_for_nowhere(writable, field, argument, text):
    answer = await writable.ask(f"query ($text: String!) {{ {field} {{ totalCount }} }}", text=text)
    assert answer.codes == ["BAD_USER_INPUT"]
    assert answer.errors[0]["extensions"]["argument"] == argument
    assert answer.statements == 0
