"""Puts a distance between the programs and the server: `tc netem` where the kernel has it, else a stand-in."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator

from .paths import PROGRAMS
from .server import Server


def in_namespace(milliseconds: float, command: str) -> list[str]:
    """A command line that runs a command in a network of its own, whose loopback has a delay."""
    # A packet passes the loopback interface once in each direction, so half of the round trip for each.
    half = f"{milliseconds * 500:.0f}us"
    own_user = [] if os.geteuid() == 0 else ["--map-root-user"]
    prepare = (
        "PATH=$PATH:/usr/sbin:/sbin; ip link set lo up && "
        f"tc qdisc replace dev lo root netem delay {half} limit 100000 && exec {command}"
    )
    return ["unshare", "--net", *own_user, "sh", "-c", prepare]


def has_netem() -> bool:
    """Whether such a network can be made."""
    if shutil.which("unshare") is None:
        return False
    return subprocess.run(in_namespace(1, "true"), check=False, capture_output=True).returncode == 0


class StandIn:
    """A server that passes on what it hears to another one and holds its answers back for a while: c/delay.c."""

    def __init__(self, port: int, milliseconds: float) -> None:
        self._process = subprocess.Popen(
            [str(PROGRAMS / "delay"), str(port), str(milliseconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def stop(self) -> dict[str, int]:
        """Ends it, and tells how many bytes it passed in each direction, over how many connections."""
        output, _ = self._process.communicate("")
        passed: dict[str, int] = json.loads(output)
        return passed


@contextlib.contextmanager
def distant(server: Server, milliseconds: float, scheme: str) -> Iterator[str]:
    """Gives a URL at which the stand-in makes the server seem that far away."""
    if milliseconds == 0:
        yield server.url(scheme)
        return
    stand_in = StandIn(server.tls_port if scheme == "https" else server.http_port, milliseconds)
    try:
        yield server.url(scheme, port=stand_in.port)
    finally:
        stand_in.stop()
