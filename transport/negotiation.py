"""Which media type to answer in, and whether a body is JSON (RFC 9110, 12.5.1)."""

from functools import lru_cache

__all__ = ["GRAPHQL_RESPONSE_JSON", "JSON", "chosen_media_type", "is_json"]

JSON = "application/json"
GRAPHQL_RESPONSE_JSON = "application/graphql-response+json"
_OFFERED = (GRAPHQL_RESPONSE_JSON, JSON)


# Clients send the same few again and again; what is longer than these is worked out each time.
_LONGEST = 200
# What has more ranges than these, or is longer, is not taken apart.
_MAX_RANGES = 50
_LONGEST_READ = 1_024


def chosen_media_type(accept: str | None) -> str | None:
    """The best of what we offer for an Accept header; None when nothing of it will do.

    Without a header, or with `*/*` alone, it is application/json: clients that say nothing were written before the newer type. A header that is
    longer than any client's is passed over.
    """
    if not accept or not accept.strip() or len(accept) > _LONGEST_READ or accept.count(",") >= _MAX_RANGES:
        return JSON
    return _chosen(accept) if len(accept) <= _LONGEST else _chosen.__wrapped__(accept)


@lru_cache(maxsize=256)
def _chosen(accept: str) -> str | None:
    best: tuple[float, int, int] | None = None
    chosen = None
    for place, offered in enumerate(_OFFERED):
        quality, exactness = _quality(accept, offered)
        # The more exact range wins; among ranges with a star the older type does.
        rank = (quality, exactness, -place if exactness == 2 else place)
        if quality > 0 and (best is None or rank > best):
            best, chosen = rank, offered
    return chosen


def _quality(accept: str, offered: str) -> tuple[float, int]:
    """The quality of the most exact range that matches, and how exact it is: 2 itself, 1 `application/*`, 0 `*/*`, -1 none."""
    found = (0.0, -1)
    for part in accept.split(","):
        pieces = [piece.strip() for piece in part.lower().split(";")]
        exactness = {offered: 2, "application/*": 1, "*/*": 0}.get(pieces[0], -1)
        if exactness > found[1]:
            found = (_weight(pieces[1:]), exactness)
    return found


def _weight(parameters: list[str]) -> float:
    for each in parameters:
        name, _, value = each.partition("=")
        if name.strip() == "q":
            try:
                weight = float(value)
            except ValueError:
                return 0.0
            return weight if 0 <= weight <= 1 else 0.0
    return 1.0


def is_json(content_type: str | None) -> bool:
    """Whether a body says that it is JSON in UTF-8."""
    if not content_type or len(content_type) > _LONGEST_READ:
        return False
    return _is_json(content_type) if len(content_type) <= _LONGEST else _is_json.__wrapped__(content_type)


@lru_cache(maxsize=256)
def _is_json(content_type: str) -> bool:
    kind, *parameters = (piece.strip().lower() for piece in content_type.split(";"))
    charsets = [each.partition("=")[2].strip("\"' ") for each in parameters if each.startswith("charset")]
    return kind == JSON and all(each in ("utf-8", "utf8") for each in charsets)
