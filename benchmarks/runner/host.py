"""What libhanko costs the process that has it loaded."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from . import programs
from .delay import distant
from .paths import LIBRARY, PROGRAMS
from .server import Server

REPEATS = 15
CONNECTIONS = 32


def cost(server: Server) -> dict[str, Any]:
    """Time to load, memory, threads and sizes: of libhanko, and beside it of the short program on libcurl alone."""
    found: dict[str, Any] = {"library_kib": _stripped_size() / 1024}
    for name, library in (("libhanko", str(LIBRARY)), ("libcurl", "libcurl")):
        calls = [_run(library, "call", server, server.url("http")) for _ in range(REPEATS)]
        figures = {key: median(call[key] for call in calls) for key in calls[0]}
        with distant(server, 50, "http") as url:
            figures["connection_bytes_http"] = _connections(library, server, url)
        with distant(server, 50, "https") as url:
            figures["connection_bytes_https"] = _connections(library, server, url)
        found[name] = figures
    found["libhanko"]["threads_queue"] = _run(str(LIBRARY), "queue", server, server.url("http"))["threads_queue"]
    return found


def _connections(library: str, server: Server, url: str) -> float:
    measured = _run(library, "connections", server, url, str(CONNECTIONS))
    if measured["connections"] < CONNECTIONS:
        raise SystemExit(f"only {measured['connections']} connections were kept")
    return float(measured["connection_bytes"])


def _run(library: str, what: str, server: Server, url: str, *more: str) -> dict[str, Any]:
    settings = programs.environment(url, server.token_file, server.authorities, in_flight=CONNECTIONS + 1, count=1)
    command = [str(PROGRAMS / "host_cost"), library, what, *more]
    done = subprocess.run(command, check=False, env=settings, capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        raise SystemExit(f"host_cost failed: {done.stderr.strip()}")
    measured: dict[str, Any] = json.loads(done.stdout)
    return measured


def _stripped_size() -> int:
    """As `make install` installs it."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "libhanko.so"
        shutil.copy(LIBRARY, copy)
        subprocess.run(["strip", "--strip-unneeded", str(copy)], check=True)
        return copy.stat().st_size
