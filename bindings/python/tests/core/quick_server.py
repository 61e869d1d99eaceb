"""A Hanko in a process of its own that answers in microseconds: `no` to that token, yes to all others, and a key set.

It echoes X-Request-Id, as Hanko does, and makes one where a request has none. Prints its address. The first argument is
how many seconds it thinks about each answer. Ends with its standard input.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import uuid
from typing import Optional

from answering import NO, yes

DELAY = float(sys.argv[1]) if len(sys.argv) > 1 else 0.0

REQUEST_ID = re.compile(rb"\r\nX-Request-Id:[ \t]*([^\r\n]*)", re.IGNORECASE)


def response(body: object) -> bytes:
    """A whole answer, with room for the value of X-Request-Id."""
    data = json.dumps(body).encode()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Request-Id: %%s\r\nContent-Length: %d\r\n\r\n"
    return head % len(data) + data


def id_for(head: bytes) -> bytes:
    """The id of the request with this head, or one of our own."""
    field = REQUEST_ID.search(head)
    return field[1] if field and field[1] else uuid.uuid4().hex.encode()


ACCEPTED = response(yes(email={"address": "ada@example.com", "is_primary": True, "is_verified": True}))
REFUSED = response(NO)
KEY_SET = response({"keys": []})


class Connection(asyncio.Protocol):
    """One connection that is kept."""

    def __init__(self) -> None:
        self.received = b""
        self.transport: Optional[asyncio.WriteTransport] = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to answer."""
        assert isinstance(transport, asyncio.WriteTransport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every whole request."""
        self.received += data
        while True:
            head, end, body = self.received.partition(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0] or 0) if end else 0
            if not end or len(body) < length:
                return
            self.received = body[length:]
            answer = REFUSED if b'"no"' in body[:length] else ACCEPTED
            if head.startswith(b"GET "):
                answer = KEY_SET
            answer %= id_for(head)
            if DELAY:
                asyncio.get_running_loop().call_later(DELAY, self.answer, answer)
            else:
                self.answer(answer)

    def answer(self, answer: bytes) -> None:
        """Send an answer, if anybody still waits."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(answer)


async def main() -> None:
    """Serve until standard input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Connection, "127.0.0.1", 0, backlog=1024)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    ended = asyncio.Event()
    loop.add_reader(sys.stdin, lambda: sys.stdin.buffer.read1(1) or ended.set())
    await ended.wait()


asyncio.run(main())
