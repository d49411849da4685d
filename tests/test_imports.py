"""Tests that there are no circular imports: at run time, under TYPE_CHECKING, or by a name in a string."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

TOP = Path(__file__).parents[1]
LINTER = tomllib.loads((TOP / "pyproject.toml").read_text())["tool"]["importlinter"]
# Folders of programs, which are imported by no room.
PROGRAMS = {"benchmarks", "deploy", "docs", "migrations", "tests"}
ROOMS = sorted({each.parent.name for each in TOP.glob("*/__init__.py")} - PROGRAMS)


def modules_of(room: str, top: Path = TOP) -> dict[str, ast.Module]:
    """Returns the parsed modules of a room by their dotted names; a package has the name of its folder."""
    found = {}
    for path in sorted((top / room).rglob("*.py")):
        parts = path.relative_to(top).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = ast.parse(path.read_text())
    return found


def imported_by(name: str, modules: dict[str, ast.Module]) -> set[str]:
    """Returns the names of the modules that one of them imports: anywhere in it, also under TYPE_CHECKING, or by a string (a lazy import)."""
    found: set[str] = set()
    for node in ast.walk(modules[name]):
        if isinstance(node, ast.Import):
            found |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} imports by a relative name"
            # `from room import module` imports the module, `from room.module import name` the module before the name.
            inner = {f"{node.module}.{each.name}" for each in node.names}
            found |= {each if each in modules else str(node.module) for each in inner}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and "." in node.value:
            found.add(node.value)
    return found & (modules.keys() - {name})


def circles(imports: dict[str, set[str]]) -> Iterator[list[str]]:
    """Yields a shortest circle of imports for each module that is part of one."""
    for start in sorted(imports):
        ways = [[start]]
        seen: set[str] = set()
        while ways:
            way = ways.pop(0)
            for each in sorted(imports[way[-1]] - seen):
                if each == start:
                    yield [*way, start]
                    ways = []
                    break
                seen.add(each)
                ways.append([*way, each])


@pytest.mark.parametrize("room", ROOMS)
def test_no_module_of_a_room_imports_itself_through_others(room):
    modules = modules_of(room)
    found = list(circles({name: imported_by(name, modules) for name in modules}))
    assert not found, "import circles:\n" + "\n".join(" → ".join(each) for each in found)


def test_no_module_imports_itself_through_those_of_other_rooms():
    modules = {name: module for room in ROOMS for name, module in modules_of(room).items()}
    modules |= {path.stem: ast.parse(path.read_text()) for path in TOP.glob("*.py")}
    found = list(circles({name: imported_by(name, modules) for name in modules}))
    assert not found, "import circles:\n" + "\n".join(" → ".join(each) for each in found)


def test_every_room_has_a_place_in_the_import_contracts():
    assert sorted(LINTER["root_packages"]) == ROOMS, "list the room in root_packages of pyproject.toml"
    [layers] = [each["layers"] for each in LINTER["contracts"] if each["name"] == "Imports point down"]
    placed = {room.strip(" ()") for each in layers for room in each.split("|")} | {"execution", "rules"}
    assert not set(ROOMS) - placed, "say in the layers of pyproject.toml where the room stands"


@pytest.mark.parametrize("leaf", ["config", "json_tree", "process_memory", "sized_cache"])
def test_what_every_room_may_import_imports_no_room(leaf):
    nodes = list(ast.walk(ast.parse((TOP / f"{leaf}.py").read_text())))
    imported = {str(each.module) for each in nodes if isinstance(each, ast.ImportFrom)}
    imported |= {name.name for each in nodes if isinstance(each, ast.Import) for name in each.names}
    assert not {each.split(".")[0] for each in imported} & {*ROOMS, "app", "launcher", "workers", "http_server"}


@pytest.mark.parametrize(
    "back",
    [
        "from room.one import One",
        "from room import one",
        "import room.one",
        "def later():\n    from room.one import One",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from room.one import One",
        'import strawberry\nOne = strawberry.lazy("room.one")',
    ],
)
def test_a_circle_is_found_however_the_way_back_is_imported(tmp_path, back):
    room = tmp_path / "room"
    room.mkdir()
    (room / "__init__.py").write_text("from room import one, two\n")
    (room / "one.py").write_text("from room.two import Two\nclass One: ...\n")
    (room / "two.py").write_text(f"{back}\nclass Two: ...\n")
    modules = modules_of("room", tmp_path)
    found = list(circles({name: imported_by(name, modules) for name in modules}))
    assert found == [["room.one", "room.two", "room.one"], ["room.two", "room.one", "room.two"]]
