"""A web server as operators start it: gunicorn or uvicorn in a process of its own."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

PATIENCE = 60


class Answer(NamedTuple):
    """What a server sent; the body is JSON, or else bytes."""

    status: int
    headers: dict[str, str]
    body: Any


class WebServer:
    """A server on a free port of this machine, to be used in `with`."""

    def __init__(self, *command: str, folder: Path, log: Path) -> None:
        """Start `python -m command` in a folder; it must say on which port it listens, and is given a free one."""
        self._log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *command],
                cwd=folder,
                env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        self.port = self._wait_for_port()

    @classmethod
    def gunicorn(cls, application: str, *options: str, folder: Path, log: Path) -> WebServer:
        """gunicorn, with two workers unless told otherwise."""
        common = ("--bind", "127.0.0.1:0", "--workers", "2", "--log-level", "info")
        return cls("gunicorn", *common, *options, application, folder=folder, log=log)

    @classmethod
    def uvicorn(cls, application: str, *options: str, folder: Path, log: Path) -> WebServer:
        """uvicorn."""
        return cls("uvicorn", "--port", "0", *options, application, folder=folder, log=log)

    def __enter__(self) -> WebServer:
        """The server, which listens."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End it, and complain if it does not end well."""
        status = self.stop()
        if kind is None:
            # uvicorn hands the signal on to whoever waits for it, once it has ended in order.
            assert status in (0, -signal.SIGTERM), f"it ended with {status}:\n{self.log}"

    @property
    def log(self) -> str:
        """What it has said so far."""
        return self._log.read_text()

    def get(self, path: str, headers: dict[str, str] | None = None) -> Answer:
        """One request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request("GET", path, headers=headers or {})
            response = connection.getresponse()
            body = response.read()
        finally:
            connection.close()
        try:
            body = json.loads(body)
        except ValueError:
            pass
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, body)

    def stop(self) -> int:
        """End it as an operator does; its exit status."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self._process.kill()
        return self._process.wait()

    def _wait_for_port(self) -> int:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self._process.poll() is None:
            bound = re.search(r"(?:[Rr]unning on|Listening at:) http://127\.0\.0\.1:(\d+)", self.log)
            if bound:
                return int(bound[1])
            time.sleep(0.05)
        self.stop()
        raise AssertionError(f"the server did not start:\n{self.log}")
