"""Measures one workload: all of its programs in turn, several times over, so that what disturbs the machine disturbs
all of them."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from . import programs
from .programs import PROGRAMS_BY_KEY, Program, Run
from .server import Server
from .workloads import TLS, Workload


@dataclass(frozen=True)
class Spread:
    """The median of several figures, and the lowest and highest of them."""

    median: float
    low: float
    high: float

    @staticmethod
    def of(figures: list[float]) -> Spread:
        return Spread(median(figures), min(figures), max(figures))


@dataclass(frozen=True)
class Beside:
    """A program, how fast it was, and how much faster ours was in the same rounds."""

    program: str
    per_second: Spread
    ratio: Spread


@dataclass(frozen=True)
class Measurement:
    workload: Workload
    ours: Spread
    peers: tuple[Beside, ...]

    @property
    def best_peer(self) -> Beside:
        return min(self.peers, key=lambda beside: beside.ratio.median)

    def beside(self, key: str) -> Beside | None:
        return next((beside for beside in self.peers if beside.program == key), None)


def measure(workload: Workload, server: Server, url: str) -> Measurement:
    """Runs the programs against a URL of the server."""
    peers = [PROGRAMS_BY_KEY[key] for key in workload.peers if PROGRAMS_BY_KEY[key].is_here]
    all_programs = [PROGRAMS_BY_KEY[workload.ours], *peers]
    cores = programs.one_core() if workload.is_pinned else programs.every_core()
    server.stay_on(cores)
    rates: dict[str, list[float]] = {program.key: [] for program in all_programs}
    for number in range(workload.repeats):
        # Back and forth, so that none always runs after the same other one.
        for program in all_programs if number % 2 == 0 else reversed(all_programs):
            rates[program.key].append(_run(program, workload, server, url, cores).per_second)
    ours = rates[workload.ours]
    return Measurement(
        workload,
        Spread.of(ours),
        tuple(
            Beside(
                peer.key,
                Spread.of(rates[peer.key]),
                Spread.of([mine / theirs for mine, theirs in zip(ours, rates[peer.key])]),
            )
            for peer in peers
        ),
    )


def _run(program: Program, workload: Workload, server: Server, url: str, cores: set[int]) -> Run:
    # Of the many authorities that a program trusts in production, a connection has to read all. C and Go programs with
    # many connections have made them before the clock starts, so there one authority saves only time to wait.
    connects_beforehand = workload.in_flight > 1 and program.language != "Python"
    authorities = None
    if workload.scheme == TLS:
        authorities = server.only_authority if connects_beforehand else server.authorities
    settings = programs.environment(
        url,
        server.token_file,
        authorities,
        in_flight=workload.in_flight,
        connections=workload.connections or None,
        seconds=workload.seconds,
    )
    return programs.run(program, settings, cores)
