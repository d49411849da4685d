"""The declarations of personal data: whose they are, of what category, and how long they are kept, for every table of the database.

The `table` entries of `db/sql/*.sql` hold them; db/sql/README.md describes their format. docs/personal-data.md is generated from them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = [
    "CATEGORIES",
    "COMMON_COLUMNS",
    "PEOPLE",
    "STARTS",
    "Column",
    "PersonPath",
    "PersonalData",
    "Retention",
    "Step",
    "Table",
    "check_paths",
    "parse_personal_data",
]

# Every table may have these. They say when a row was written and by which key it is found, and need no declaration.
COMMON_COLUMNS = frozenset({"id", "created_at", "updated_at", "version"})

CATEGORIES = {
    "identity": "names, numbers, date of birth, links to an account or a relative",
    "contact": "email, telephone, address",
    "enrolment": "classes, and the days of entering and leaving them",
    "employment": "what a member of staff teaches and has done",
    "attendance": "presence, absence and its reasons",
    "achievement": "marks, final grades and comments on them",
    "finance": "charges, payments and receipts",
    "credentials": "hashes of passwords and tokens",
    "technical": "sign-ins, network addresses, records of changes",
}
PEOPLE = {
    "student": "a student of the school, present or former",
    "guardian": "a guardian of a student",
    "teacher": "a teacher",
    "staff": "whoever entered, changed or approved a record",
    "user": "anybody with an account: a student, a guardian, a teacher or a member of the office",
    "operator": "whoever runs the server",
}
# When a retention begins, beside the columns of the table itself.
STARTS = {
    "leaving": "a student's last membership of a class has ended; none of a guardian's children is a student; a teacher or an account is inactive",
}

_COLUMN = re.compile(r"(?P<name>[a-z_0-9]+)(?: \((?P<content>free text|JSON)\))?")
_STEP = re.compile(r"(?P<table>[a-z_]+)(?:\[(?P<key>[a-z_]+)\])?\.(?P<column>[a-z_]+)")
_RETENTION = re.compile(r"(?P<count>[1-9][0-9]*) (?P<unit>day|month|year)s? after (?P<start>[a-z_]+)(?P<enforced>, enforced)?")
_WITH_ROW = "while the record exists"
_UNTRACEABLE = "untraceable: "


@dataclass(frozen=True, slots=True)
class Column:
    """A personal column. `content` is "free text", where anybody may be named, "JSON", or "" for a plain value."""

    name: str
    content: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a path: the row of `table` whose `key` has the value at hand; its `column` is the next value."""

    table: str
    key: str
    column: str


@dataclass(frozen=True, slots=True)
class PersonPath:
    """The way from a row to a person: a column of the row, and the steps from it to an id of `users`.

    With `by_table_name`, the value is the id of a row in the table that the column of this name names, and that table's own paths lead on.
    `untraceable` says why no path exists; then there is no column.
    """

    column: str = ""
    steps: tuple[Step, ...] = ()
    by_table_name: str = ""
    untraceable: str = ""

    def __str__(self) -> str:
        if self.untraceable:
            return f"{_UNTRACEABLE}{self.untraceable}"
        steps = [f"{each.table}{'' if each.key == 'id' else f'[{each.key}]'}.{each.column}" for each in self.steps]
        return " -> ".join([self.column, *steps, *([f"({self.by_table_name})"] if self.by_table_name else [])])


@dataclass(frozen=True, slots=True)
class Retention:
    """How long data are kept: `count` units ("day", "month", "year") after `start`, a column of the table or one of STARTS.

    Without a `count` they are kept as long as their row. `enforced` says that the server deletes them by itself.
    """

    count: int = 0
    unit: str = ""
    start: str = ""
    enforced: bool = False

    def __str__(self) -> str:
        return f"{self.count} {self.unit}{'' if self.count == 1 else 's'} after {self.start}" if self.count else _WITH_ROW


@dataclass(frozen=True, slots=True)
class PersonalData:
    """Columns of one category that concern one person, with the way to that person and the retention."""

    category: str
    person: str
    columns: tuple[Column, ...]
    path: PersonPath
    retention: Retention


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the database: `other` columns are not personal. Without personal data, `impersonal` says why there are none."""

    name: str
    purpose: str
    other: tuple[str, ...]
    personal: tuple[PersonalData, ...]
    impersonal: str

    @property
    def columns(self) -> frozenset[str]:
        """All columns that are declared or need no declaration."""
        paths = {each.path.column for each in self.personal} - {""}
        return COMMON_COLUMNS.union(self.other, paths, (column.name for each in self.personal for column in each.columns))


def parse_personal_data(category: str, person: str, text: str) -> PersonalData:
    """Parses the option `-- personal CATEGORY PERSON: columns; path; retention`. Raises ValueError that says what is wrong."""
    if category not in CATEGORIES:
        raise ValueError(f"{category} is not a category ({', '.join(CATEGORIES)})")
    if person not in PEOPLE:
        raise ValueError(f"{person} is not a kind of person ({', '.join(PEOPLE)})")
    parts = [each.strip() for each in text.split(";")]
    if len(parts) != 3:
        raise ValueError("personal needs columns, the path to the person and a retention, separated by semicolons")
    return PersonalData(category, person, _columns(parts[0]), _path(parts[1]), _retention(parts[2]))


def check_paths(table: Table, tables: Mapping[str, Table]) -> str | None:
    """Returns what is wrong with the columns that the table's paths and retentions name; None if nothing is."""
    for each in table.personal:
        for step in each.path.steps:
            if step.table not in tables or not {step.key, step.column} <= tables[step.table].columns:
                return f"no table is declared with what the path {each.path} names as {step.table}.{step.column}"
        if each.path.by_table_name and each.path.by_table_name not in table.columns:
            return f"the path {each.path} names a column that {table.name} does not have"
        if each.retention.count and each.retention.start not in STARTS and each.retention.start not in table.columns:
            return f"a retention begins with a column of {table.name} or with {' or '.join(STARTS)}, not with {each.retention.start}"
    return None


def _columns(text: str) -> tuple[Column, ...]:
    matches = [_COLUMN.fullmatch(each.strip()) for each in text.split(",")]
    columns = tuple(Column(match["name"], match["content"] or "") for match in matches if match)
    if len(columns) < len(matches) or len({each.name for each in columns}) < len(columns):
        raise ValueError(f"personal needs names of columns, each once, followed by (free text) or (JSON) where they hold such: {text}")
    return columns


def _path(text: str) -> PersonPath:
    if text.startswith(_UNTRACEABLE):
        return PersonPath(untraceable=text.removeprefix(_UNTRACEABLE))
    column, *rest = text.split(" -> ")
    by_table_name = rest.pop().strip("()") if rest and rest[-1].startswith("(") else ""
    matches = [_STEP.fullmatch(each) for each in rest]
    steps = tuple(Step(match["table"], match["key"] or "id", match["column"]) for match in matches if match)
    if not column.isidentifier() or len(steps) < len(matches):
        raise ValueError(f"a path is `column -> table.column -> …` or `{_UNTRACEABLE}why`, not: {text}")
    return PersonPath(column, steps, by_table_name)


def _retention(text: str) -> Retention:
    match = _RETENTION.fullmatch(text)
    if match:
        return Retention(int(match["count"]), match["unit"], match["start"], bool(match["enforced"]))
    if text == _WITH_ROW:
        return Retention()
    raise ValueError(f"a retention is `10 years after leaving`, `30 days after expires_at, enforced` or `{_WITH_ROW}`, not: {text}")
