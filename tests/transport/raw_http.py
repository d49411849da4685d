"""Runs a small application behind the server's HTTP protocol, on uvloop in a thread, and builds clients that send raw bytes."""

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn

from tests.polling import block_until
from transport.admission import ADMISSION
from transport.connections import ConnectionLimits, Connections
from transport.limited_connection import CONNECTIONS
from transport.protocol import HTTPProtocol

__all__ = ["Answer", "Served", "answers", "dial", "serving"]

HEAD = b"POST /echo HTTP/1.1\r\nHost: x\r\n"


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str:
        return json.loads(self.body)["errors"][0]["extensions"]["code"]


class Served:
    """Holds a running server: its address, its connections, and the scopes that its application got."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self.connections = Connections(limits)
        self.address = ("127.0.0.1", 0)
        self.scopes: list[dict[str, Any]] = []
        self.bodies: list[bytes] = []
        self.gone = 0
        self.release = threading.Event()
        self.admission: Any = None

    async def app(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            scope["state"][CONNECTIONS] = self.connections
            scope["state"][ADMISSION] = self.admission
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        self.scopes.append(scope)
        if scope["path"] == "/fails":
            raise RuntimeError("the secret ingredient")
        if scope["path"] == "/early":
            await self._answer(send, b"early")
            return
        body = b""
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.gone += 1
                return
            body += message["body"]
            more = message["more_body"]
        self.bodies.append(body)
        if scope["path"] == "/waits":
            # Waits for the client to disconnect, as ASGI provides.
            left = asyncio.create_task(receive())
            while not self.release.is_set():
                await asyncio.sleep(0.01)
                if left.done():
                    self.gone += 1
                    return
            left.cancel()
        await self._answer(send, b"x" * int(scope["path"][7:]) if scope["path"].startswith("/bytes/") else body)

    async def _answer(self, send: Any, body: bytes) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
        await send({"type": "http.response.body", "body": body})


@contextmanager
def serving(admission: Any = None, **limits: Any) -> Iterator[Served]:
    served = Served(ConnectionLimits(**limits))
    served.admission = admission
    config = uvicorn.Config(
        served.app,
        interface="asgi3",
        lifespan="on",
        log_config=None,
        access_log=False,
        loop="uvloop",
        http=HTTPProtocol,
        ws="none",
        timeout_graceful_shutdown=0,
    )
    listening = socket.create_server(("127.0.0.1", 0), backlog=2048)
    served.address = listening.getsockname()
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    block_until(lambda: server.started)
    try:
        yield served
    finally:
        served.release.set()
        server.should_exit = True
        thread.join(20)
        listening.close()
    assert not thread.is_alive()


@contextmanager
def dial(served: Served, sent: bytes = b"", source: str = "127.0.0.1", **options: int) -> Iterator[socket.socket]:
    with socket.socket() as made:
        made.bind((source, 0))
        if "receive_buffer" in options:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, options["receive_buffer"])
        made.settimeout(30)
        made.connect(served.address)
        if sent:
            made.sendall(sent)
        yield made


def answers(client: socket.socket) -> list[Answer]:
    """Reads all responses until the server closes the connection."""
    got = b""
    try:
        while piece := client.recv(1 << 20):
            got += piece
    except ConnectionResetError:
        pass
    found = []
    while got:
        head, _, rest = got.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        size = int(headers.get("content-length", 0))
        found.append(Answer(int(first.split()[1]), headers, rest[:size]))
        got = rest[size:]
    return found


def only(client: socket.socket) -> Answer:
    [answer] = answers(client)
    return answer
