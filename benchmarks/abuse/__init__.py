"""Attacks a real server and measures how other users are affected, with one module for each kind of attack. `make bench-abuse` runs them all.

A part is a module of this package with `TITLE`, `async def measure(target: Target) -> list[Figure]`, and `SETTINGS`, the environment variables that
its server needs in addition to the defaults. Each part runs against its own server, on a fresh copy of the seeded school.
"""
