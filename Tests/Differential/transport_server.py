"""A server that answers one request after the other as a case says, and sees which connection each one came on.

One thread does everything in turn, so that what a case sends is out, and its connection ended, when `settle` returns.
"""

from __future__ import annotations

import re
import select
import socket
import struct
import threading
from typing import Dict, List

from messages import NO, Session, response

from transport_cases import CLOSE, OWN_ID, RESET, Case

# The tokens of the three requests that are sent for each case.
WARM_UP, ASKED, PROBE = b"warm up", b"asked about", b"a probe"

PROBED = Session()
ANSWERS = {True: PROBED.yes(), False: NO}

# A reset would discard what has not been read. What is on its way is read within this time, or never.
BEFORE_A_RESET = 0.02
LONGEST_SEND = 5.0

REQUEST_ID = re.compile(rb"(?i)\r\nx-request-id: *([^\r\n]*)")
LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")


class Connection:
    """The server's end of one connection."""

    def __init__(self, number: int, end: socket.socket) -> None:
        self.number = number
        self.socket = end
        self.received = b""


class CaseServer:
    """Listens on a free port of loopback."""

    def __init__(self, small_window: bool = False) -> None:
        self._listener = socket.socket()
        if small_window:
            # As in `FaultServer`: the client's buffers stay small as well.
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            self._listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(64)
        self.port = self._listener.getsockname()[1]
        self._ours, self._theirs = socket.socketpair()
        self._poll = select.epoll()
        self._poll.register(self._listener, select.EPOLLIN)
        self._poll.register(self._theirs, select.EPOLLIN)
        self._connections: Dict[int, Connection] = {}
        self._accepted = 0
        self._settled = threading.Event()
        self._is_answered = threading.Event()
        self._case = Case("none", ())
        self._speaks_first = False
        self.probe_is_good = False
        # The numbers of the connections on which the case was asked for, and on which the probe was.
        self.asked: List[int] = []
        self.probed: List[int] = []
        threading.Thread(target=self._run, daemon=True).start()

    def begin(self, case: Case, probe_is_good: bool) -> None:
        """The requests from now on are about this case."""
        self._case = case
        self._speaks_first = False
        self.probe_is_good = probe_is_good
        self.asked, self.probed = [], []
        self._is_answered.clear()

    def speak_first(self) -> None:
        """The next connection gets the answer before its request."""
        self._speaks_first = self._case.early

    def settle(self) -> None:
        """The client has what it asked for. Returns when the case has nothing more to send."""
        self._is_answered.set()
        self._settled.clear()
        self._ours.send(b"s")
        if not self._settled.wait(60):
            raise TimeoutError("the server does not settle")

    def _run(self) -> None:
        while True:
            for descriptor, _ in self._poll.poll():
                if descriptor == self._listener.fileno():
                    self._accept()
                elif descriptor == self._theirs.fileno():
                    self._theirs.recv(1)
                    self._send_late()
                    self._settled.set()
                elif descriptor in self._connections:
                    self._receive(self._connections[descriptor])

    def _accept(self) -> None:
        end, _ = self._listener.accept()
        end.settimeout(LONGEST_SEND)
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._accepted += 1
        connection = Connection(self._accepted, end)
        self._connections[end.fileno()] = connection
        self._poll.register(end, select.EPOLLIN)
        if self._speaks_first:
            self._speaks_first = False
            self._send(connection, self._case.pieces)
            # Nothing of the request is taken meanwhile.
            self._is_answered.wait(BEFORE_A_RESET)

    def _receive(self, connection: Connection) -> None:
        try:
            data = connection.socket.recv(65536)
        except OSError:
            data = b""
        if not data:
            self._drop(connection)
            return
        connection.received += data
        head, separator, rest = connection.received.partition(b"\r\n\r\n")
        if separator:
            length = int(LENGTH.search(head).group(1))
            if len(rest) >= length:
                connection.received = rest[length:]
                self._answer(connection, head, rest[:length])

    def _answer(self, connection: Connection, head: bytes, body: bytes) -> None:
        found = REQUEST_ID.search(head)
        request_id = found.group(1) if found else OWN_ID
        if ASKED in body:
            self.asked.append(connection.number)
            self._play(connection, request_id)
            return
        fields = [("X-Request-Id", request_id.decode("ascii"))] if self._case.echo else []
        if PROBE in body:
            self.probed.append(connection.number)
        # The next case begins without a connection, or with the one of its warm-up.
        if PROBE in body or not self._case.kept:
            fields.append(("Connection", "close"))
        answer = response(ANSWERS[PROBE in body and self.probe_is_good], headers=fields)
        if self._send(connection, (answer,)) and fields and fields[-1][0] == "Connection":
            self._drop(connection)

    def _play(self, connection: Connection, request_id: bytes) -> None:
        case = self._case
        if not case.early:
            pieces = case.pieces
            if case.echo and len(request_id) == len(OWN_ID) and OWN_ID in case.wire:
                rest, pieces = case.wire.replace(OWN_ID, request_id), ()
                for piece in case.pieces:
                    pieces, rest = (*pieces, rest[: len(piece)]), rest[len(piece) :]
            if not self._send(connection, pieces, case.pause):
                return
        if case.then == CLOSE:
            self._drop(connection)
        elif case.then == RESET:
            self._is_answered.wait(BEFORE_A_RESET)
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._drop(connection)

    def _send_late(self) -> None:
        for connection in list(self._connections.values()):
            if self._case.late and self.asked and not self.probed and connection.number == self.asked[-1]:
                self._send(connection, (self._case.late,))

    def _send(self, connection: Connection, pieces: tuple, pause: float = 0.0) -> bool:
        """Whether the client has stayed so long."""
        try:
            for number, piece in enumerate(pieces):
                if number and pause:
                    threading.Event().wait(pause)
                connection.socket.sendall(piece)
        except OSError:
            self._drop(connection)
            return False
        return True

    def _drop(self, connection: Connection) -> None:
        self._poll.unregister(connection.socket)
        del self._connections[connection.socket.fileno()]
        connection.socket.close()
