"""Builds database URLs."""

from urllib.parse import urlsplit, urlunsplit

__all__ = ["with_database"]


def with_database(url: str, name: str) -> str:
    """Returns the URL of another database on the same server."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc, f"/{name}", parts.query, ""))
