"""Generates operations from the schema that measure one field each: a path to many objects of its type, and the field on each of them."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import psycopg
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_leaf_type,
    is_required_argument,
)

from execution.costs import PAGE

__all__ = ["Arguments", "Probe", "probes"]

_LAST_DAY = date(2026, 11, 24)
_LONGEST_SPAN = 399
# By type that fields find by id: the tag of its ids, its table, and an order that puts the most expensive rows first.
_TABLES = (
    ("Student", "stu", "students", "id"),
    ("Guardian", "gua", "guardians", "id"),
    ("Teacher", "tea", "teachers", "id"),
    ("Class", "cls", "classes", "current_enrollment DESC"),
    ("Subject", "sub", "subjects", "name"),
    ("AcademicYear", "year", "academic_years", "start_date DESC"),
    ("Semester", "sem", "semesters", "end_date > '2026-11-24', start_date DESC"),
    ("Assessment", "asm", "assessments", "id"),
    ("AssessmentType", "aty", "assessment_types", "id"),
    ("GradingScale", "gsc", "grading_scales", "id"),
    ("FinalGrade", "fin", "final_grades", "id"),
    ("Charge", "chg", "payments", "id"),
    ("FeeCategory", "fee", "fee_categories", "code"),
)


@dataclass(frozen=True, slots=True)
class Probe:
    """Describes a field to measure: `write(aliases)` returns an operation that selects it that often on every object of a path; 0 for the path alone."""

    name: str
    write: Callable[[int], str]


class Arguments:
    """Chooses values for required arguments: the most expensive ones allowed, and different ones for each alias, since a loader loads equal keys only once."""

    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        self._ids = {
            name: _ids(connection, tag, f"SELECT id FROM {table} ORDER BY {order} LIMIT 100") for name, tag, table, order in _TABLES
        }
        self._numbers = [row[0] for row in connection.execute("SELECT student_number FROM students ORDER BY 1 LIMIT 100")]

    def of(self, field: GraphQLField, alias: int) -> dict[str, str]:
        """Returns the required arguments of a field as GraphQL literals."""
        found = {}
        for name, argument in field.args.items():
            if is_required_argument(argument):
                found[name] = self._value(name, get_named_type(argument.type), get_named_type(field.type), alias)
            elif name in ("fromDate", "toDate", "from", "to"):
                found[name] = self._value(name, None, None, alias)
            elif name == "first" and field.args["first"].default_value is not None and "text" in field.args:
                found[name] = "50"
        return found

    def _value(self, name: str, kind: Any, leads_to: Any, alias: int) -> str:
        last = _LAST_DAY - timedelta(days=alias)
        values = {
            "semesterId": lambda: self._id("Semester", alias),
            "subjectId": lambda: self._id("Subject", alias),
            "at": lambda: _quoted(f"2026-11-24T{alias % 24:02}:{alias % 60:02}:00Z"),
            "date": lambda: _quoted(last.isoformat()),
            "text": lambda: _quoted("aemslbkfrhjoctdigpvuwznyqx"[alias % 26]),
            "studentNumber": lambda: _quoted(self._numbers[alias % len(self._numbers)]),
            "ids": lambda: f"[{', '.join(map(_quoted, self._ids['Student'][alias:]))}]",
            "id": lambda: self._id(str(leads_to), alias),
            "input": lambda: self._input(str(kind), alias),
        } | dict.fromkeys(("toDate", "to"), lambda: _quoted(last.isoformat()))
        values |= dict.fromkeys(("fromDate", "from"), lambda: _quoted((last - timedelta(days=_LONGEST_SPAN)).isoformat()))
        if isinstance(kind, GraphQLEnumType):
            return str(next(iter(kind.values)))
        return str(values[name]())

    def _id(self, name: str, alias: int) -> str:
        known = self._ids.get(name, self._ids["Student"])
        return _quoted(known[alias % len(known)])

    def _input(self, kind: str, alias: int) -> str:
        if kind == "PreviewPromotionInput":
            years = self._ids["AcademicYear"]
            return f"{{fromAcademicYearId: {_quoted(years[1])}, toAcademicYearId: {_quoted(years[0])}}}"
        what = f'feeCategoryId: {self._id("FeeCategory", alias)}, amount: "1.00", dueDate: "2027-01-{alias % 28 + 1:02}"'
        return f'{{{what}, description: "run {alias}", everyone: IN_SCHOOL}}'


def probes(schema: GraphQLSchema, arguments: Arguments) -> Iterator[Probe]:
    """Yields a probe for every field below Query that does more than read a value; for connections with a count, also one with the count."""
    assert schema.query_type is not None
    waiting: deque[tuple[GraphQLObjectType, list[str]]] = deque([(schema.query_type, [])])
    seen = {schema.query_type.name}
    while waiting:
        parent, path = waiting.popleft()
        # Lists first, so that the fields below them are measured on many objects.
        for name, field in sorted(parent.fields.items(), key=lambda each: PAGE not in _metadata(each[1])):
            kind = get_named_type(field.type)
            if is_leaf_type(kind) and not field.args:
                continue
            where = f"{parent.name}.{name}"
            yield Probe(where, _writer(path, name, field, arguments, _selection))
            if PAGE in _metadata(field) and "orderBy" in field.args:
                yield Probe(f"{where}.totalCount", _writer(path, name, field, arguments, lambda _: "{ totalCount }", first=0))
                for order in _orders(field):
                    yield Probe(
                        f"{where} {order}", _writer(path, name, field, arguments, lambda _: "{ nodes { id } }", first=1, order=order)
                    )
            following = _node_type(kind)
            if following is not None and following.name not in seen and not _is_plumbing(kind, following):
                seen.add(following.name)
                inner = ["nodes"] if following is not kind else []
                waiting.append((following, [*path, _call(name, field, arguments, 0, _page(field)), *inner]))


def _orders(field: GraphQLField) -> Iterator[str]:
    """Yields every order of a connection: for one without an index, finding the first row takes as long as reading all."""
    order: Any = get_named_type(field.args["orderBy"].type)
    fields: Any = get_named_type(order.fields["field"].type)
    for each in fields.values:
        for direction in ("ASC", "DESC"):
            yield f"{{field: {each}, direction: {direction}}}"


def _is_plumbing(kind: Any, following: GraphQLObjectType) -> bool:
    return following.name == "PageInfo"


def _node_type(kind: Any) -> GraphQLObjectType | None:
    """Returns the object type of a field, or of its connection's nodes."""
    nodes = getattr(kind, "fields", {}).get("nodes")
    found = get_named_type(nodes.type) if nodes is not None else kind
    return found if isinstance(found, GraphQLObjectType) else None


def _page(field: GraphQLField) -> int | None:
    declared = _metadata(field).get(PAGE)
    return None if declared is None or "first" not in field.args else int(declared[1])


def _metadata(field: GraphQLField) -> Any:
    return getattr((field.extensions or {}).get("strawberry-definition"), "metadata", {})


def _writer(
    path: list[str],
    name: str,
    field: GraphQLField,
    arguments: Arguments,
    select: Callable[[Any], str],
    first: int | None = None,
    order: str | None = None,
) -> Callable[[int], str]:
    def write(aliases: int) -> str:
        page = _page(field) if first is None else first
        fields = []
        for alias in range(aliases):
            size = page - alias if first is None and page is not None and page > 2 * alias else page
            fields.append(f"f{alias}: {_call(name, field, arguments, alias, size, order)} {select(get_named_type(field.type))}")
        text = " ".join(fields) or "__typename"
        for each in reversed(path):
            text = f"{each} {{ {text} }}"
        return f"{{ {text} }}"

    return write


def _call(name: str, field: GraphQLField, arguments: Arguments, alias: int, first: int | None, order: str | None = None) -> str:
    given = arguments.of(field, alias)
    if order is not None:
        given["orderBy"] = order
    if first is not None and "first" in field.args:
        given["first"] = str(first)
    return f"{name}({', '.join(f'{key}: {value}' for key, value in given.items())})" if given else name


def _selection(kind: Any) -> str:
    """Returns a selection of all fields of an object, or of a connection's nodes, that need no further statement."""
    if is_leaf_type(kind):
        return ""
    if isinstance(kind, (GraphQLUnionType, GraphQLInterfaceType)):
        return "{ __typename ... on Node { id } ... on Student { studentNumber firstName lastName enrollmentDate } }"
    if "nodes" in kind.fields and "pageInfo" in kind.fields:
        return f"{{ nodes {_selection(get_named_type(kind.fields['nodes'].type))} }}"
    leaves = [name for name, each in kind.fields.items() if is_leaf_type(get_named_type(each.type)) and not each.args]
    # Includes lists of plain objects that are part of a value and need no further statement.
    return f"{{ {' '.join(leaves) or '__typename'} }}"


def _quoted(text: str) -> str:
    return f'"{text}"'


def _ids(connection: "psycopg.Connection[Any]", tag: str, statement: str) -> list[str]:
    return [f"{tag}_{row[0].hex}" for row in connection.execute(statement)]  # type: ignore[call-overload]
