"""Generates valid documents that are designed to be large or slow, each different from the last, and as close to the limits as possible."""

from collections.abc import Callable, Iterator

__all__ = ["HOSTILE", "hostile_documents"]

_LEAVES = "id altId studentNumber firstName lastName name birthDate enrollmentDate isActive createdAt updatedAt version"
_CLASS = "id name createdAt updatedAt version"


def _literal(mark: str, characters: int, _: int) -> str:
    """Returns a document with one long string literal."""
    before, after = f'{{ student(id: "{mark}', '") { id } }'
    return before + "a" * (characters - len(before) - len(after)) + after


def _wide_characters(mark: str, characters: int, _: int) -> str:
    """Returns a document with a long string literal of characters that take four bytes each."""
    return _literal(mark, characters, 0).replace("a", "\N{GRINNING FACE}")


def _comments(mark: str, characters: int, tokens: int) -> str:
    return f'{{ student(id: "{mark}") {{ id }} }}\n' + "#\n" * min(1_900, tokens - 15, (characters - 100) // 2)


def _list(mark: str, characters: int, tokens: int) -> str:
    return f'{{ nodes(ids: ["{mark}"' + ' "a"' * min(tokens - 20, (characters - 100) // 4) + "]) { id } }"


def _repeated_field(mark: str, characters: int, tokens: int) -> str:
    """Returns the document for which validation takes longest to compare fields of the same name, within the limit for that."""
    times = min((tokens - 20) // 7, (characters - 100) // 26, 100)
    return f'{{ student(id: "{mark}") {{ ' + "class { teacher { id } } " * times + "} }"


def _operations(mark: str, characters: int, tokens: int) -> str:
    times = min(tokens // 8 - 1, (characters - 100) // (30 + len(mark)))
    return " ".join(f"query {mark}{number} {{ viewer {{ role }} }}" for number in range(times))


def _variables(mark: str, characters: int, tokens: int) -> str:
    names = [f"${mark}{number}" for number in range(min((tokens - 20) // 7, (characters - 100) // (12 + 2 * len(mark))))]
    return f"query ({' '.join(f'{each}: ID!' for each in names)}) {{ nodes(ids: [{' '.join(names)}]) {{ id }} }}"


def _fragments(mark: str, characters: int, tokens: int) -> str:
    """Returns a document with a fragment that is spread many times: it is short, but its plan is large."""
    places = min(28 if tokens > 500 else 7, (characters - 500) // (36 + len(mark)), (tokens - 110) // 12)
    roots = " ".join(f'a{number}: student(id: "{mark}") {{ ...S }}' for number in range(places))
    return f"{{ {roots} }} fragment S on Student {{ {_LEAVES} class {{ {_CLASS} teacher {{ ...T user {{ student {{ {_LEAVES} }} }} }} }} user {{ teacher {{ ...T }} }} }} fragment T on Teacher {{ id name }}"


def _aliases(mark: str, characters: int, tokens: int) -> str:
    """Returns a document with long aliases, which become part of the code that is generated for a selection."""
    length = (characters - 300) // 28 - 8
    names = [f"{mark}{number}".ljust(length, "x") for number in range(min(28, (tokens - 20) // 3))]
    return f'{{ student(id: "{mark}") {{ ' + " ".join(f"{each}: name" for each in names) + " } }"


HOSTILE: dict[str, Callable[[str, int, int], str]] = {
    "a long text": _literal,
    "a long text of wide characters": _wide_characters,
    "comments": _comments,
    "a long list": _list,
    "a repeated field": _repeated_field,
    "many operations": _operations,
    "many variables": _variables,
    "spread fragments": _fragments,
    "long aliases": _aliases,
}


def hostile_documents(kind: str, *, characters: int, tokens: int) -> Iterator[str]:
    """Yields documents of one kind without end, each within these limits."""
    number = 0
    while True:
        number += 1
        yield HOSTILE[kind](f"m{number}", characters, tokens)
