"""Compares the schema with that of the last release, and writes the schema of a release.

A release's schema is `schema/releases/MAJOR.MINOR.graphql`. What clients of the last release rely on must stay until it has been deprecated in a
release: `changes` lists what breaks them. Additions are free.

python -m docs.release            write the schema of the version in pyproject.toml
python -m docs.release --check    fail on changes that break clients of the last release
"""

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from graphql import GraphQLEnumType, GraphQLInterfaceType, GraphQLSchema, GraphQLUnionType, build_schema, get_named_type
from graphql.utilities import DangerousChangeType, find_breaking_changes, find_dangerous_changes

__all__ = ["ADVICE", "changes", "last_release", "main", "problems"]

_ROOT = Path(__file__).parent.parent
_FOLDER = _ROOT / "schema" / "releases"
ADVICE = (
    "Keep what clients use and deprecate it with a reason that names its successor; a later minor release may remove it."
    " docs/api.md (Compatibility) has the rules."
)
# A new default changes the answer to a request that does not mention the argument. The other dangerous changes are additions, which clients
# must accept: values of enums, members of unions, optional arguments.
_HARMFUL = {DangerousChangeType.ARG_DEFAULT_VALUE_CHANGE}


def last_release() -> Path | None:
    """Returns the file with the schema of the last release, or None before the first."""
    return max(_FOLDER.glob("*.graphql"), key=lambda path: tuple(map(int, path.stem.split("."))), default=None)


def changes(old: GraphQLSchema, new: GraphQLSchema) -> list[str]:
    """Returns the changes that break clients of the old schema, as sentences. What the old schema had deprecated may be removed."""
    may_go = _announced(old)
    found = [change.description for change in find_breaking_changes(old, new) if change.description not in may_go]
    return found + [change.description for change in find_dangerous_changes(old, new) if change.type in _HARMFUL]


def problems(sdl: str) -> list[str]:
    """Returns the changes of a schema, given as SDL, that break clients of the last release."""
    last = last_release()
    return [] if last is None else changes(build_schema(last.read_text(encoding="utf-8")), build_schema(sdl))


def _announced(schema: GraphQLSchema) -> set[str]:
    """Returns graphql-core's descriptions of all removals that the schema announces: of what is deprecated, and of types that nothing else uses."""
    texts = set()
    for kind in schema.type_map.values():
        if isinstance(kind, GraphQLEnumType):
            texts |= {f"Enum value {kind.name}.{value} was removed." for value, each in kind.values.items() if each.deprecation_reason}
        for name, field in getattr(kind, "fields", {}).items():
            if field.deprecation_reason:
                texts.add(f"Field {kind.name}.{name} was removed.")
            arguments = getattr(field, "args", {}).items()
            texts |= {f"Argument {kind.name}.{name}({argument}:) was removed." for argument, each in arguments if each.deprecation_reason}
    for name in schema.type_map.keys() - _used(schema):
        texts |= {f"{name} was removed.", f"Standard scalar {name} was removed because it is not referenced anymore."}
    return texts


def _used(schema: GraphQLSchema) -> set[str]:
    """Returns the names of the types that can be reached without what is deprecated."""
    used: set[str] = set()
    waiting: list[str] = [name for name in ("Query", "Mutation", "Subscription") if name in schema.type_map]
    while waiting:
        name = waiting.pop()
        if name not in used:
            used.add(name)
            waiting += _uses(schema, schema.type_map[name])
    return used


def _uses(schema: GraphQLSchema, kind: Any) -> Iterator[str]:
    if isinstance(kind, GraphQLUnionType | GraphQLInterfaceType):
        yield from (each.name for each in schema.get_possible_types(kind))
    for field in getattr(kind, "fields", {}).values():
        if not field.deprecation_reason:
            yield get_named_type(field.type).name
            yield from (get_named_type(each.type).name for each in getattr(field, "args", {}).values() if not each.deprecation_reason)


def _version() -> str:
    project = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found = re.match(r"\d+\.\d+", project["version"])
    if found is None:
        raise ValueError(f"{project['version']!r} in pyproject.toml is not a version")
    return found[0]


def main() -> None:
    """Writes the schema of this version, or with --check exits with status 1 if it breaks clients of the last release."""
    from schema import make_schema

    sdl = f"{make_schema().as_str()}\n"
    if "--check" in sys.argv[1:]:
        found = problems(sdl)
        if found:
            last = last_release()
            print(f"These changes break clients of release {last.stem if last else ''}:", *found, ADVICE, sep="\n  ", file=sys.stderr)
            sys.exit(1)
        return
    path = _FOLDER / f"{_version()}.graphql"
    path.parent.mkdir(exist_ok=True)
    path.write_text(sdl, encoding="utf-8")
    print(f"wrote {path.relative_to(_ROOT)}")


if __name__ == "__main__":
    main()
