"""The server's end of TLS, where what goes into which record and which write is the choice of the test."""

from __future__ import annotations

import ssl
from typing import Any, Callable


class TLSByHand:
    """TLS over anything that carries bytes, also over TLS; a `Connection` takes it for a socket."""

    def __init__(self, context: ssl.SSLContext, receive: Callable[[], bytes], send: Callable[[bytes], object]) -> None:
        """``receive`` waits for bytes of the other side, ``send`` sends some."""
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._receive, self._send = receive, send

    def _step(self, function: Callable[..., Any], *arguments: int) -> Any:
        """Do something that needs bytes of the other side; what is to be sent at its end stays unsent."""
        while True:
            try:
                return function(*arguments)
            except ssl.SSLWantReadError:
                if self._outgoing.pending:
                    self._send(self._outgoing.read())
                data = self._receive()
                if not data:
                    raise ConnectionResetError("the other side left within TLS") from None
                self._incoming.write(data)

    def shake_hands(self) -> None:
        """Up to the server's last message, which is sent with what comes next."""
        self._step(self._tls.do_handshake)

    def recv(self, size: int) -> bytes:
        """Wait for bytes of the other side."""
        return self._step(self._tls.read, size)

    def sealed(self, data: bytes) -> bytes:
        """A record with these bytes, behind what has not been sent; to be sent by the caller."""
        self._tls.write(data)
        return self._outgoing.read()

    def sendall(self, data: bytes) -> None:
        """Send bytes in a record of their own, behind what has not been sent."""
        self._send(self.sealed(data))
