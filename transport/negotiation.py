"""Negotiates the response's media type (RFC 9110, 12.5.1), and checks the request's."""

from functools import lru_cache

__all__ = ["GRAPHQL_RESPONSE_JSON", "JSON", "chosen_media_type", "is_json"]

JSON = "application/json"
GRAPHQL_RESPONSE_JSON = "application/graphql-response+json"
_OFFERED = (GRAPHQL_RESPONSE_JSON, JSON)


# Results for headers up to this length are cached: clients repeat the same few.
_MAX_CACHED_LENGTH = 200
# Headers that are longer, or have more ranges, are not parsed.
_MAX_RANGES = 50
_MAX_PARSED_LENGTH = 1_024


def chosen_media_type(accept: str | None) -> str | None:
    """Returns the offered media type that an Accept header prefers; None if it accepts none of them.

    Without a header, or for `*/*`, it is application/json, since such clients may predate the newer type. Unreasonably long headers are ignored.
    """
    if not accept or not accept.strip() or len(accept) > _MAX_PARSED_LENGTH or accept.count(",") >= _MAX_RANGES:
        return JSON
    return _chosen(accept) if len(accept) <= _MAX_CACHED_LENGTH else _chosen.__wrapped__(accept)


@lru_cache(maxsize=256)
def _chosen(accept: str) -> str | None:
    best: tuple[float, int, int] | None = None
    chosen = None
    for place, offered in enumerate(_OFFERED):
        quality, exactness = _quality(accept, offered)
        # The more specific range wins; if both match a wildcard, the older type does.
        rank = (quality, exactness, -place if exactness == 2 else place)
        if quality > 0 and (best is None or rank > best):
            best, chosen = rank, offered
    return chosen


def _quality(accept: str, offered: str) -> tuple[float, int]:
    """Returns the quality and the specificity of the most specific matching range: 2 for the type, 1 for `application/*`, 0 for `*/*`, -1 for none."""
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
    """Returns whether a Content-Type header means JSON in UTF-8."""
    if not content_type or len(content_type) > _MAX_PARSED_LENGTH:
        return False
    return _is_json(content_type) if len(content_type) <= _MAX_CACHED_LENGTH else _is_json.__wrapped__(content_type)


@lru_cache(maxsize=256)
def _is_json(content_type: str) -> bool:
    kind, *parameters = (piece.strip().lower() for piece in content_type.split(";"))
    charsets = [each.partition("=")[2].strip("\"' ") for each in parameters if each.startswith("charset")]
    return kind == JSON and all(each in ("utf-8", "utf8") for each in charsets)
