"""Builds a TCP proxy in front of PostgreSQL that passes bytes on until it is frozen, or refuses new connections."""

import asyncio
from contextlib import suppress
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit, urlunsplit

__all__ = ["FreezableProxy"]


class FreezableProxy:
    """Listens on a port of 127.0.0.1 and forwards bytes. `url` connects through it."""

    def __init__(self, url: str) -> None:
        self._parts = urlsplit(url)
        self._open = asyncio.Event()
        self._open.set()
        self.admits = True
        self._server: Any = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._admit, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def url(self) -> str:
        port = self._server.sockets[0].getsockname()[1]
        who = self._parts.netloc.rpartition("@")[0]
        return urlunsplit(("postgresql", f"{who}@127.0.0.1:{port}", self._parts.path, "", ""))

    def freeze(self) -> None:
        """Stops forwarding in both directions without closing connections, as when a network fails."""
        self._open.clear()

    def thaw(self) -> None:
        self._open.set()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        query = parse_qs(self._parts.query)
        host = query.get("host", [self._parts.hostname or "127.0.0.1"])[0]
        port = int(query.get("port", [self._parts.port or 5432])[0])
        if host.startswith("/"):
            return await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        return await asyncio.open_connection(host, port)

    async def _admit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.admits:
            writer.close()
            return
        behind_reader, behind_writer = await self._connect()
        for source, target in ((reader, behind_writer), (behind_reader, writer)):
            task = asyncio.create_task(self._pass_on(source, target))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pass_on(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            try:
                while data := await source.read(65536):
                    await self._open.wait()
                    target.write(data)
                    await target.drain()
            finally:
                target.close()
