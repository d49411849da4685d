"""Parses a guide into requests, each with its viewer, its variables and the answer that the guide shows.

A request is a GraphQL code block whose first line is `# as $name`, where `$name` is an access token recorded earlier (or `# as nobody`). A JSON block
called `variables` may follow, and then the JSON response. In a response `"$name"` matches any value and records it under that name, or matches the
value recorded earlier; `"…"` matches any value. In variables `"$name"` stands for the recorded value.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Request", "differences", "fill", "requests"]

_BLOCK = re.compile(r"^```(?P<kind>graphql|json)(?P<role> variables)?\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_NAME = re.compile(r"\$[a-zA-Z]+")


@dataclass
class Request:
    line: int
    asker: str
    query: str
    variables: dict[str, Any]
    answer: Any


def requests(guide: Path) -> list[Request]:
    """Returns all requests of a guide, in order. Raises ValueError for a block that belongs to no request, or a request without a response."""
    text = guide.read_text(encoding="utf-8")
    found: list[Request] = []
    open_request: Request | None = None
    for block in _BLOCK.finditer(text):
        line = text.count("\n", 0, block.start()) + 1
        if block["kind"] == "graphql":
            if open_request is not None:
                raise ValueError(f"{guide.name}:{open_request.line}: the request has no answer")
            who, _, query = block["text"].partition("\n")
            if not who.startswith("# as "):
                raise ValueError(f"{guide.name}:{line}: the request does not say who asks")
            open_request = Request(line, who.removeprefix("# as ").strip(), query, {}, None)
        elif open_request is None:
            raise ValueError(f"{guide.name}:{line}: this belongs to no request")
        elif block["role"]:
            open_request.variables = json.loads(block["text"])
        else:
            open_request.answer = json.loads(block["text"])
            found.append(open_request)
            open_request = None
    if open_request is not None:
        raise ValueError(f"{guide.name}:{open_request.line}: the request has no answer")
    return found


def fill(value: Any, noted: dict[str, Any]) -> Any:
    """Returns variables with the recorded values in place of names. Raises KeyError for a name that was not recorded."""
    if isinstance(value, dict):
        return {key: fill(each, noted) for key, each in value.items()}
    if isinstance(value, list):
        return [fill(each, noted) for each in value]
    return noted[value] if isinstance(value, str) and _NAME.fullmatch(value) else value


def differences(shown: Any, answered: Any, noted: dict[str, Any], path: str = "") -> list[str]:
    """Lists the differences between a response and the one that the guide shows, and records new names."""
    if shown == "…":
        return []
    if isinstance(shown, str) and _NAME.fullmatch(shown):
        known = noted.setdefault(shown, answered)
        return [] if known == answered else [f"{path}: {shown} was {known!r}, is {answered!r}"]
    if isinstance(shown, dict) and isinstance(answered, dict):
        if list(shown) != list(answered):
            return [f"{path}: has {list(answered)}, not {list(shown)}"]
        return [each for key in shown for each in differences(shown[key], answered[key], noted, f"{path}.{key}")]
    if isinstance(shown, list) and isinstance(answered, list):
        if len(shown) != len(answered):
            return [f"{path}: has {len(answered)} entries, not {len(shown)}: {json.dumps(answered, ensure_ascii=False)}"]
        pairs = enumerate(zip(shown, answered, strict=True))
        return [each for n, (one, other) in pairs for each in differences(one, other, noted, f"{path}[{n}]")]
    same = shown == answered and type(shown) is type(answered)
    return [] if same else [f"{path}: is {json.dumps(answered, ensure_ascii=False)}, not {json.dumps(shown, ensure_ascii=False)}"]
