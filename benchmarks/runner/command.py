"""The commands of benchmarks/run."""

from __future__ import annotations

import argparse
import pickle
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timezone
from pathlib import Path

from . import counts, delay, host, machine, programs, proof, workloads
from .measure import Measurement, measure
from .paths import BUILD, PYTHON, SOURCES
from .report import RESULTS, Report
from .server import Server
from .workloads import DELAYS, Workload

PICTURE = SOURCES / "results.svg"
# What `make` calls each command; the table names it.
COMMANDS = {"bench": "make bench", "full": "make bench-full"}


def main(arguments: list[str], manual: str) -> int:
    parser = argparse.ArgumentParser(description=manual, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=("bench", "full", "check", "count", "picture"), metavar="COMMAND")
    parser.add_argument("--only", default="", metavar="PART")
    # For itself: a run inside a network that has a delay.
    parser.add_argument("--inside", nargs=2, metavar=("MILLISECONDS", "FILE"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    # So that what was started is stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if options.inside:
        return _inside(float(options.inside[0]), Path(options.inside[1]))
    if options.command == "picture":
        return _draw()
    programs.build()
    if options.command in ("check", "count"):
        return _count(is_check=options.command == "check")
    return _bench(options.command, options.only)


# --- bench and full ---------------------------------------------------------------------------------------------------


def _bench(command: str, only: str) -> int:
    began = time.monotonic()
    near = [workload for workload in workloads.on_loopback(command == "full") if only in workload.key]
    with Server(BUILD / "server") as server:
        _say("proving that each program asks what it should, and takes a no for a failure")
        proof.prove(_programs_of(near), server)
        measurements = [_measured(workload, server, server.url(workload.scheme)) for workload in near]
        best_peers = {each.workload.key: each.best_peer.program for each in measurements if each.peers}
        uses_netem = delay.has_netem()
        for milliseconds in DELAYS:
            far = [workload for workload in _at_a_distance(command, milliseconds, best_peers) if only in workload.key]
            measurements += (_behind_netem if uses_netem else _behind_stand_in)(far, milliseconds, server)
        if only:
            return 0
        _say("measuring what it costs a host")
        host_cost = host.cost(server)
    report = Report(
        date=datetime.now(timezone.utc).strftime("%Y-%m-%d"),
        command=COMMANDS[command],
        machine=machine.describe(),
        versions={**machine.versions(), **machine.python_packages()},
        delay_by="tc netem" if uses_netem else "delayed by benchmarks/c/delay.c",
        measurements=measurements,
        host=host_cost,
        counts=counts.load(),
    )
    report.write()
    print(report.as_markdown())
    drawn = _draw()
    _say(f"done in {time.monotonic() - began:.0f} s; results.json, results.md and results.svg are in benchmarks/")
    return drawn


def _at_a_distance(command: str, milliseconds: float, best_peers: dict[str, str]) -> list[Workload]:
    if command == "full":
        chosen = workloads.every_combination(milliseconds)
    else:
        chosen = workloads.at_a_distance(milliseconds, best_peers)
    limited = workloads.at_the_limit()
    return chosen + ([limited] if limited.delay == milliseconds else [])


def _programs_of(chosen: list[Workload]) -> list[str]:
    keys: dict[str, None] = {}
    for workload in chosen:
        keys.update(dict.fromkeys((workload.ours, *workload.peers)))
    return list(keys)


def _measured(workload: Workload, server: Server, url: str) -> Measurement:
    began = time.monotonic()
    measurement = measure(workload, server, url)
    ratios = ", ".join(f"{each.program} {each.ratio.median:.2f}" for each in measurement.peers)
    _say(f"{workload.key}: {measurement.ours.median:,.0f}/s; beside {ratios} ({time.monotonic() - began:.0f} s)")
    return measurement


def _behind_stand_in(far: list[Workload], milliseconds: float, server: Server) -> list[Measurement]:
    measurements = []
    for workload in far:
        with delay.distant(server, milliseconds, workload.scheme) as url:
            measurements.append(_measured(workload, server, url))
    return measurements


def _behind_netem(far: list[Workload], milliseconds: float, _: Server) -> list[Measurement]:
    """The same in a network of its own, where everything is that far away: this program, started once more there."""
    if not far:
        return []
    with tempfile.TemporaryDirectory() as folder:
        exchanged = Path(folder) / "workloads"
        exchanged.write_bytes(pickle.dumps(far))
        itself = [sys.executable, str(SOURCES / "run"), "bench", "--inside", str(milliseconds), str(exchanged)]
        subprocess.run(delay.in_namespace(milliseconds, shlex.join(itself)), check=True)
        measurements: list[Measurement] = pickle.loads(exchanged.read_bytes())
    return measurements


def _inside(milliseconds: float, exchanged: Path) -> int:
    far: list[Workload] = pickle.loads(exchanged.read_bytes())
    with Server(BUILD / f"server-{milliseconds:g}ms") as server:
        measurements = [_measured(workload, server, server.url(workload.scheme)) for workload in far]
    exchanged.write_bytes(pickle.dumps(measurements))
    return 0


def _draw() -> int:
    script = Path(__file__).with_name("picture.py")
    return subprocess.run([str(PYTHON), str(script), str(RESULTS), str(PICTURE)], check=False).returncode


# --- check and count --------------------------------------------------------------------------------------------------


def _count(is_check: bool) -> int:
    with Server(BUILD / "server") as server:
        proof.prove(list(counts.COUNTED), server)
        counted = counts.count(server)
    before = counts.load()
    if not is_check or before is None:
        counts.write(counted)
        if RESULTS.exists():
            Report.load(counted).write()
        _say(f"benchmarks/{counts.FILE.name} is written")
        return 0
    for name, version in counted["versions"].items():
        known = before["versions"].get(name)
        if version != known:
            _say(f"{name} was {known} and is {version} here: what is not libhanko's own may differ for that")
    changed = counts.changes(before, counted)
    for line in changed:
        print(line)
    if not changed:
        print(f"nothing has changed by more than {counts.TOLERANCE:.0%}")
        return 0
    print("if that is meant to be so, `benchmarks/run count` writes the new figures into benchmarks/counts.json")
    return 1


def _say(text: str) -> None:
    print(f"libhanko: {text}", file=sys.stderr, flush=True)
