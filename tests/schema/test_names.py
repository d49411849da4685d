"""Names of the schema follow docs/decisions/086-names-of-the-schema.md."""

import re

from graphql import GraphQLInputObjectType, GraphQLList, GraphQLObjectType, get_named_type, get_nullable_type

from tests.graphql_school import SCHEMA

TYPES = {name: kind for name, kind in SCHEMA._schema.type_map.items() if not name.startswith("__")}
OBJECTS = {name: kind for name, kind in TYPES.items() if isinstance(kind, GraphQLObjectType)}
INPUTS = {name: kind for name, kind in TYPES.items() if isinstance(kind, GraphQLInputObjectType)}
# Their names are those of the JSON of the health routes.
HEALTH = {
    "ActiveConnections", "ApiCheck", "DatabaseCheck", "DatabaseHealth", "HealthChecks", "IndexUse", "MachineCpu", "MachineHealth", "MachineMemory",
    "MachinePlatform", "PoolHealth", "ProcessCpu", "ProcessHealth", "ProcessMemory", "SystemHealth", "TableSize",
}  # fmt: skip
# Words that have no plural, and the results of a search.
WITHOUT_PLURAL = {"attendance", "search", "attendanceBreakdown", "classHistory", "notMarked"}
# A verb and the object that the mutation is about: `moveStudent` is about the student whose id is `id`.
_VERB = re.compile(
    r"(?:update|deactivate|reactivate|reenroll|move|delete|cancel|waive|refund|correct|publish|unpublish|end|revoke|retry|dismiss)([A-Z]\w*)"
)
# What these name is no id of the object: a mark is found by its student and day, all sessions by their user.
FOUND_OTHERWISE = {"updateSchool", "updateOwnContact", "correctAttendance", "endSessions"}


def _fields(kinds):
    return [(name, field, each) for name, kind in kinds.items() for field, each in kind.fields.items()]


def test_lists_have_plural_names():
    singular = {
        f"{name}.{field}"
        for name, field, each in _fields(OBJECTS | INPUTS)
        if name not in HEALTH
        and isinstance(get_nullable_type(each.type), GraphQLList)
        and not field.endswith("s")
        and field not in WITHOUT_PLURAL
    }
    assert singular == set()


def test_a_count_has_a_name_that_says_so_and_no_lists_name():
    """`students` are students; how many there are is `studentCount`. A type of totals alone, like AttendanceSummary, is one as a whole."""
    lists = {field for _, field, each in _fields(OBJECTS) if isinstance(get_nullable_type(each.type), GraphQLList)}
    lists |= {field for _, field, each in _fields(OBJECTS) if get_named_type(each.type).name.endswith("Connection")}
    mistaken = {
        f"{name}.{field}" for name, field, each in _fields(OBJECTS) if str(each.type).rstrip("!") == "Int" and field in lists and name not in HEALTH
    }  # fmt: skip
    assert mistaken == set()


def test_the_object_that_a_mutation_is_about_is_id():
    for name, field in SCHEMA._schema.mutation_type.fields.items():
        found = _VERB.fullmatch(name)
        if found is None or name in FOUND_OTHERWISE:
            continue
        given = get_named_type(field.args["input"].type).fields
        noun = found[1][0].lower() + found[1][1:]
        assert "id" in given, name
        assert f"{noun}Id" not in given, name


def test_ids_of_other_objects_end_with_id():
    """An argument that takes ids says of what: `classId`, `classIds`. `id` alone is the object itself, and `after` a row of a preview."""
    named = {(name, field) for name, field, each in _fields(INPUTS) if get_named_type(each.type).name == "ID"}
    assert {f"{name}.{field}" for name, field in named if field != "id" and not field.endswith(("Id", "Ids"))} == set()


def test_a_day_is_called_a_date_and_a_moment_ends_with_at():
    dates, moments = ("Date", "date", "today"), ("At", "at", "Until", "timestamp")
    for name, field, each in _fields(OBJECTS):
        kind = get_named_type(each.type).name
        if kind == "Date":
            assert field.endswith(dates), f"{name}.{field}"
        elif kind == "DateTime":
            assert field.endswith(moments), f"{name}.{field}"


def test_orders_and_filters_are_named_after_the_type_that_they_sort_and_filter():
    for name, field, each in _fields(OBJECTS):
        connection = get_named_type(each.type).name
        if not connection.endswith("Connection"):
            continue
        node = connection.removesuffix("Connection")
        for argument, suffix in (("orderBy", "Order"), ("filter", "Filter")):
            if argument in each.args:
                assert get_named_type(each.args[argument].type).name == f"{node}{suffix}", f"{name}.{field}"


def test_what_is_owed_is_a_charge_and_what_was_received_a_payment():
    assert "Payment" not in TYPES
    words = {f"{name}.{field}" for name, field, _ in _fields(OBJECTS | INPUTS) if re.search("payment", field, re.IGNORECASE)}
    assert words == {"Mutation.recordPayment", "Mutation.refundPayment", "Mutation.correctPayment"}
