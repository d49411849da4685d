"""Tests that every error code that clients can get occurs in a test."""

import ast
import re

from tests.server_process import ROOT

# The callables that create an error with a code, and the position of the code in their arguments.
_MAKERS = {
    "Refusal": 0,
    "UserError": 1,
    "rejected": 1,
    "DomainError": 0,
    "KeyRefusedError": 0,
    "_refuse": 0,
    "InvalidDocumentError": 0,
    "HTTPError": 1,
    "__init__": 0,
}
_CODE = re.compile(r"[A-Z][A-Z_]{2,}")
_ROOMS = ("auth", "db", "execution", "gateways", "health", "resolvers", "rules", "schema", "transport")


def codes_in_the_source():
    """Returns each code with a place in the source that uses it."""
    found = {}
    for path in [*(path for room in _ROOMS for path in sorted((ROOT / room).rglob("*.py"))), ROOT / "app.py"]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                place = _MAKERS.get(name)
                constants = node.args[place : place + 1] if place is not None else []
            elif isinstance(node, ast.Tuple) and path.name in ("constraint_messages.py", "errors.py"):
                constants = node.elts[:1]
            else:
                continue
            for each in constants:
                if isinstance(each, ast.Constant) and isinstance(each.value, str) and _CODE.fullmatch(each.value):
                    found.setdefault(each.value, f"{path.relative_to(ROOT)}:{each.lineno}")
    return found


def test_every_error_code_occurs_in_a_test():
    tests = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    codes = codes_in_the_source()
    assert len(codes) > 60
    missing = {code: place for code, place in codes.items() if f'"{code}"' not in tests and f"'{code}'" not in tests}
    assert missing == {}, "no test makes these errors happen"
