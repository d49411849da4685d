"""Attacks on one real server, a module for each: what honest users notice of them meanwhile. `make bench-abuse` runs them all.

A part is a module of this package with `TITLE`, `async def measure(target: Target) -> list[Figure]`, and `SETTINGS`, the environment that its
server needs besides the defaults (may be empty). Each part has a server of its own, on a fresh copy of the seeded school.
"""
