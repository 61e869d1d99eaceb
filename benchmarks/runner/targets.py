"""What libhanko is meant to reach, and whether it does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .measure import Measurement
from .programs import PROGRAMS_BY_KEY

# Workload, peer, the least ratio.
RATIOS = (
    ("c-one-http", "curl-kept", 1.0),
    ("c-one-https", "curl-kept", 1.35),
    ("c-32-http", "curl-multi", 0.95),
    ("c-32-http", "go-nethttp", 1.5),
    ("c-32-https", "curl-multi", 1.0),
    ("c-32-https", "go-nethttp", 1.0),
    ("python-one-http", "python-session", 15.0),
    ("python-one-https", "python-guide", 300.0),
    ("asyncio-32-http", "asyncio-aiohttp", 3.0),
)
OF_THE_LIMIT = 0.95
LIMIT_WORKLOAD, LIMIT_BASE = "c-256-http-64connections-10ms", "c-one-http-10ms"
OWN_ALLOCATIONS = 16
OWN_INSTRUCTIONS = 0.15
LOAD_MICROSECONDS = 1000
ADDED_KIB = 1024


@dataclass(frozen=True)
class Target:
    what: str
    wanted: str
    measured: str
    is_met: bool


def of_measurements(measurements: list[Measurement]) -> list[Target]:
    by_key = {measurement.workload.key: measurement for measurement in measurements}
    targets = []
    for key, peer, least in RATIOS:
        beside = by_key[key].beside(peer) if key in by_key else None
        if beside is not None:
            ratio = beside.ratio.median
            what = f"{describe(by_key[key])}, beside {PROGRAMS_BY_KEY[peer].name}"
            targets.append(Target(what, f"at least {least:g} ×", f"{ratio:.2f} ×", ratio >= least))
    limited, base = by_key.get(LIMIT_WORKLOAD), by_key.get(LIMIT_BASE)
    if limited is not None and base is not None:
        # One connection carries what one at a time gets through it, as libcurl measures it; all carry so many times it.
        limit = base.peers[0].per_second.median * limited.workload.connections
        share = limited.ours.median / limit
        what = f"{describe(limited)}: share of what {limited.workload.connections} connections allow"
        targets.append(Target(what, f"at least {OF_THE_LIMIT:.0%}", f"{share:.1%}", share >= OF_THE_LIMIT))
    return targets


def of_host(host: dict[str, Any]) -> list[Target]:
    ours = host["libhanko"]
    threads = ours["threads_called"] - 1
    return [
        Target(
            "dlopen, beyond libcurl's own",
            f"at most {LOAD_MICROSECONDS / 1000:g} ms",
            f"{ours['load_us'] / 1000:.2f} ms",
            ours["load_us"] <= LOAD_MICROSECONDS,
        ),
        Target(
            "memory after the first call over HTTP, beyond that of libcurl's first request",
            f"at most {ADDED_KIB} KiB",
            f"{added_kib(host):.0f} KiB",
            added_kib(host) <= ADDED_KIB,
        ),
        Target("threads before a queue is made", "0", f"{threads:g}", threads == 0),
    ]


def added_kib(host: dict[str, Any]) -> float:
    return float(host["libhanko"]["called_kib"]) - float(host["libcurl"]["called_kib"])


def of_counts(counted: dict[str, Any]) -> list[Target]:
    validations = counted["validations"]
    targets = []
    for key in ("hanko-blocking", "hanko-blocking-session", "hanko-queue"):
        figures = validations.get(f"{key}, http")
        if figures is None:
            continue
        name = PROGRAMS_BY_KEY[key].name
        own = figures.get("allocations of libhanko", 0.0)
        share = figures["instructions of libhanko"] / figures["instructions"]
        targets += [
            Target(f"{name}: allocations of our own", f"at most {OWN_ALLOCATIONS}", f"{own:g}", own <= OWN_ALLOCATIONS),
            Target(
                f"{name}: share of our own code in the instructions",
                f"at most {OWN_INSTRUCTIONS:.0%}",
                f"{share:.0%} ({figures['instructions of libhanko']:,.0f} of {figures['instructions']:,.0f})",
                share <= OWN_INSTRUCTIONS,
            ),
        ]
    ours = validations["hanko-blocking, http"]["system calls"]
    theirs = validations["curl-kept, http"]["system calls"]
    return [
        *targets,
        Target(
            "system calls on a kept HTTP connection",
            f"libcurl's own ({theirs:g}) and one to look at the connection",
            f"{ours:g}",
            round(ours) <= round(theirs) + 1,
        ),
    ]


def describe(measurement: Measurement) -> str:
    """A workload in words."""
    workload = measurement.workload
    where = "HTTP" if workload.scheme == "http" else "TLS"
    many = "one at a time" if workload.in_flight == 1 else f"{workload.in_flight} in flight"
    far = f", {workload.delay:g} ms away" if workload.delay else ""
    ours = PROGRAMS_BY_KEY[workload.ours].name.replace("libhanko, ", "")
    how = f" ({ours})" if ours not in ("libhanko", "our cgo example") else ""
    return f"{workload.language}{how}, {many}, {where}{far}"
