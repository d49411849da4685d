"""The README of execution/ names files and names of the code as they are."""

import re
from pathlib import Path

TOP = Path(__file__).parents[2]
EXECUTION = TOP / "execution"


def test_every_file_and_name_in_the_readme_is_there():
    # Without the indented example and its selections.
    words = set(re.findall(r"`([^`\n]+)`", (EXECUTION / "README.md").read_text()))
    code = "\n".join(path.read_text() for path in [*EXECUTION.rglob("*.py"), TOP / "json_tree.py"])
    known = set(re.findall(r"\w+", code))
    paths = {each for each in words if re.fullmatch(r"[\w/]+(/|\.\w+)", each) and ("/" in each or each.endswith((".py", ".toml")))}
    assert len(paths) > 20
    assert not [each for each in sorted(paths) if not (EXECUTION / each).exists() and not (TOP / each).exists()]
    names = {name for each in words - paths for name in re.findall(r"[A-Za-z_]\w{3,}", each)}
    assert len(names) > 50
    assert not sorted(names - known)
