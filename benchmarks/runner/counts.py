"""Counts what one validation takes on the caller's side. Counts hardly depend on what else the machine does, so a
change of a few percent shows.

Everything is counted in two runs of different length, and the difference divided by the difference of their lengths:
what a program does once, at its start or end, falls out.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Callable

from . import callgrind, machine, programs
from .delay import StandIn
from .paths import PROGRAMS, SOURCES
from .programs import PROGRAMS_BY_KEY, Program
from .server import Server
from .workloads import HTTP, TLS

FILE = SOURCES / "counts.json"
SHORT, LONG = 200, 1200
TOLERANCE = 0.05
# Of numbers this small a fraction says nothing: a system call every few validations, for example.
NOTICEABLE = 0.25
# Whether two threads meet at a lock is chance.
CHANCE = ("futex",)

COUNTED = ("hanko-blocking", "hanko-blocking-session", "hanko-environment", "hanko-queue", "curl-kept", "curl-multi")

Figures = dict[str, float]


def count(server: Server) -> dict[str, Any]:
    """Counts for all programs, over HTTP and TLS."""
    found: dict[str, Any] = {"versions": machine.versions(), "validations": {}}
    # On one core the server answers while the program waits and not while it works, each time in the same order.
    server.stay_on(programs.one_core())
    for scheme in (HTTP, TLS):
        for key in COUNTED:
            program = PROGRAMS_BY_KEY[key]
            figures: Figures = {}
            figures.update(_difference(_allocations, program, server, scheme))
            figures.update(_difference(_system_calls, program, server, scheme))
            figures.update(_difference(_bytes, program, server, scheme))
            if scheme == HTTP:
                # Under valgrind TLS runs other code than on the machine itself.
                figures.update(_difference(_instructions, program, server, scheme))
            found["validations"][f"{key}, {scheme}"] = figures
    return found


def changes(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """What differs by more than the tolerance."""
    lines = []
    for key in sorted({*before["validations"], *after["validations"]}):
        old, new = before["validations"].get(key, {}), after["validations"].get(key, {})
        for name in sorted({*old, *new}):
            was, now = old.get(name, 0.0), new.get(name, 0.0)
            if abs(now - was) > max(TOLERANCE * was, NOTICEABLE):
                percent = f"{(now / was - 1) * 100:+.1f} %" if was else "new"
                lines.append(f"{key}: {name} {was:g} -> {now:g} ({percent})")
    return lines


def _difference(
    counted: Callable[[Program, Server, str, int], Figures], program: Program, server: Server, scheme: str
) -> Figures:
    short, long = (counted(program, server, scheme, length) for length in (SHORT, LONG))
    figures = {name: (long[name] - short.get(name, 0)) / (LONG - SHORT) for name in long}
    return {name: round(figure, 2) for name, figure in sorted(figures.items()) if abs(figure) >= 0.005}


def _settings(server: Server, url: str, length: int) -> dict[str, str]:
    authorities = server.only_authority if url.startswith("https:") else None
    return programs.environment(url, server.token_file, authorities, count=length)


def _run(command: list[str], settings: dict[str, str]) -> None:
    done = subprocess.run(
        command,
        check=False,
        env=settings,
        capture_output=True,
        text=True,
        timeout=600,
        preexec_fn=programs.on(programs.one_core()),
    )
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command[:2])} … failed: {done.stderr.strip()[-1000:]}")


def _instructions(program: Program, server: Server, scheme: str, length: int) -> Figures:
    settings = {**_settings(server, server.url(scheme), length), "LD_BIND_NOW": "1"}
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "callgrind.out"
        options = ["--tool=callgrind", "--compress-strings=no", "--compress-pos=no"]
        _run(["valgrind", *options, f"--callgrind-out-file={output}", *program.command], settings)
        profile = callgrind.read(output)
    figures = {"instructions": profile.total}
    if program.key.startswith("hanko"):
        figures["instructions of libhanko"] = profile.own("libhanko")
        figures["instructions of libhanko and of the C library for it"] = profile.own_with_c_library("libhanko")
    return {name: float(figure) for name, figure in figures.items()}


def _allocations(program: Program, server: Server, scheme: str, length: int) -> Figures:
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "allocations.json"
        settings = _settings(server, server.url(scheme), length)
        settings.update(LD_PRELOAD=str(PROGRAMS / "allocations.so"), BENCH_ALLOCATIONS=str(output))
        _run(list(program.command), settings)
        counted = json.loads(output.read_text())
    figures = {"allocations": float(counted["all"])}
    if program.key.startswith("hanko"):
        figures["allocations of libhanko"] = float(counted["own"])
    return figures


def _system_calls(program: Program, server: Server, scheme: str, length: int) -> Figures:
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "strace.txt"
        settings = _settings(server, server.url(scheme), length)
        _run(["strace", "-c", "-f", "-o", str(output), *program.command], settings)
        lines = [line.split() for line in output.read_text().splitlines()]
    # Share of time, seconds, microseconds a call, calls, errors if any, name.
    rows = [line for line in lines if len(line) >= 5 and line[3].isdigit() and line[-1] not in ("total", *CHANCE)]
    figures = {f"system calls: {row[-1]}": float(row[3]) for row in rows}
    return {"system calls": sum(figures.values()), **figures}


def _bytes(program: Program, server: Server, scheme: str, length: int) -> Figures:
    stand_in = StandIn(server.tls_port if scheme == TLS else server.http_port, 0)
    try:
        _run(list(program.command), _settings(server, server.url(scheme, port=stand_in.port), length))
    finally:
        passed = stand_in.stop()
    return {"bytes sent": float(passed["sent"]), "bytes received": float(passed["received"])}


def write(counted: dict[str, Any]) -> None:
    FILE.write_text(json.dumps(counted, indent=2) + "\n")


def load() -> dict[str, Any] | None:
    return json.loads(FILE.read_text()) if FILE.exists() else None
