"""What h11 says of a connection: the second opinion on answers."""

from __future__ import annotations

import h11

from opinion import ANSWER, EARLY, REFUSED, Opinion

# The same for all: a request that was sent whole.
REQUEST = h11.Request(method="POST", target="/sessions/validate", headers=[("Host", "h"), ("Content-Length", "0")])

# Ours has a limit of its own, whose disagreements are explained; h11's must not come first.
NO_LIMIT = 1 << 30

# What h11 says where the connection ended within an answer, within its body, and between answers.
CLOSED = ("peer unexpectedly closed", "peer closed connection", "can't handle event type ConnectionClosed")


def read(wire: bytes, ended: bool) -> Opinion:
    """Read one answer and look at what is left."""
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=NO_LIMIT)
    connection.send(REQUEST)
    connection.send(h11.EndOfMessage())
    if wire:
        connection.receive_data(wire)
    if ended:
        connection.receive_data(b"")
    status = 0
    body = []
    try:
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                return Opinion(EARLY, "waits", status)
            if isinstance(event, (h11.Response, h11.InformationalResponse)):
                status = event.status_code
            elif isinstance(event, h11.Data):
                body.append(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                rest, _ = connection.trailing_data
                keeps = connection.their_state is h11.DONE
                return Opinion(ANSWER, "answer", status, b"".join(body), keeps and not rest and not ended, bool(rest))
    except h11.RemoteProtocolError as error:
        closed = str(error).startswith(CLOSED)
        return Opinion(EARLY if closed else REFUSED, str(error), status)
