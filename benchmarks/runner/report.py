"""Writes what was measured: as JSON, and as the table of the README."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from . import targets
from .measure import Beside, Measurement, Spread
from .paths import SOURCES
from .programs import PROGRAMS_BY_KEY
from .targets import Target
from .workloads import Workload

RESULTS = SOURCES / "results.json"
TABLE = SOURCES / "results.md"
SCHEMES = (("http", "HTTP"), ("https", "TLS"))


@dataclasses.dataclass
class Report:
    """One run of the benchmark."""

    date: str
    command: str
    machine: str
    versions: dict[str, str]
    delay_by: str
    measurements: list[Measurement]
    host: dict[str, Any]
    counts: dict[str, Any] | None

    @staticmethod
    def load(counted: dict[str, Any] | None) -> Report:
        """The last run, with these counts."""
        content = json.loads(RESULTS.read_text())
        del content["targets"]
        found = [_measurement(each) for each in content.pop("measurements")]
        return Report(**content, measurements=found, counts=counted)

    def targets(self) -> list[Target]:
        found = targets.of_measurements(self.measurements)
        if self.host:
            found += targets.of_host(self.host)
        if self.counts:
            found += targets.of_counts(self.counts)
        return found

    def as_json(self) -> str:
        content = dataclasses.asdict(self)
        del content["counts"]  # they have a file of their own
        content["targets"] = [dataclasses.asdict(target) for target in self.targets()]
        return json.dumps(content, indent=1) + "\n"

    def as_markdown(self) -> str:
        versions = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        lines = [
            f"Measured on {self.date} with `{self.command}` on a {self.machine} ({versions}).",
            "",
            "### On loopback",
            "",
            *_table([each for each in self.measurements if each.workload.delay == 0]),
        ]
        distant = [each for each in self.measurements if each.workload.delay > 0]
        if distant:
            lines += ["", f"### At a distance ({self.delay_by})", "", *_table(distant)]
        lines += ["", "### Where libhanko is slower", "", *_losses(self.measurements)]
        if self.host:
            lines += ["", "### Cost to a host", "", *_host_table(self.host)]
        if self.counts:
            lines += ["", "### Counts, for one validation", "", *_counts_table(self.counts)]
        lines += ["", "### Targets", "", "| | wanted | measured | |", "|---|---|---|---|"]
        lines += [
            f"| {each.what} | {each.wanted} | {each.measured} | {'met' if each.is_met else '**missed**'} |"
            for each in self.targets()
        ]
        return "\n".join(lines) + "\n"

    def write(self) -> None:
        RESULTS.write_text(self.as_json())
        TABLE.write_text(self.as_markdown())


def _measurement(content: dict[str, Any]) -> Measurement:
    peers = [
        Beside(each["program"], Spread(**each["per_second"]), Spread(**each["ratio"])) for each in content["peers"]
    ]
    workload = {**content["workload"], "peers": tuple(content["workload"]["peers"])}
    return Measurement(Workload(**workload), Spread(**content["ours"]), tuple(peers))


def _table(measurements: list[Measurement]) -> list[str]:
    lines = ["| | libhanko | beside | | libhanko : other, median (lowest to highest) |", "|---|---|---|---|---|"]
    for measurement in measurements:
        what = targets.describe(measurement)
        ours = _absolute(measurement, measurement.ours)
        for beside in measurement.peers:
            ratio = beside.ratio
            lines.append(
                f"| {what} | {ours} | {PROGRAMS_BY_KEY[beside.program].name} "
                f"| {_absolute(measurement, beside.per_second)} "
                f"| **{_times(ratio.median)}** ({_times(ratio.low)} to {_times(ratio.high)}) |"
            )
            what = ours = ""
    return lines


def _losses(measurements: list[Measurement]) -> list[str]:
    """The rows in which most rounds went to the other program."""
    rows = [
        f"- {targets.describe(measurement)}: {_times(beside.ratio.median)} beside {PROGRAMS_BY_KEY[beside.program].name}"
        for measurement in measurements
        for beside in measurement.peers
        if round(beside.ratio.median, 2) < 1
    ]
    return rows or ["Nowhere in this run."]


def _times(ratio: float) -> str:
    return f"{ratio:.0f} ×" if ratio >= 20 else f"{ratio:.1f} ×" if ratio >= 5 else f"{ratio:.2f} ×"


def _absolute(measurement: Measurement, per_second: Spread) -> str:
    if measurement.workload.in_flight > 1:
        return f"{per_second.median:,.0f}/s"
    microseconds = 1e6 / per_second.median
    return f"{microseconds:,.0f} µs" if microseconds < 10_000 else f"{microseconds / 1000:,.1f} ms"


def _host_table(host: dict[str, Any]) -> list[str]:
    ours, theirs = host["libhanko"], host["libcurl"]
    threads = [f"{ours[name] - 1:g}" for name in ("threads", "threads_called", "threads_queue")]
    rows = (
        (
            "time to load",
            f"{ours['load_us'] / 1000:.2f} ms, beyond libcurl's",
            f"{theirs['load_libcurl_us'] / 1000:.1f} ms",
        ),
        ("memory added by loading", f"{_kib(ours['load_kib'])}, beyond libcurl's", _kib(theirs["libcurl_kib"])),
        ("memory added by the first call over HTTP", _kib(ours["called_kib"]), _kib(theirs["called_kib"])),
        (
            "first call over HTTP, with all that it sets up",
            f"{ours['first_call_us']:,.0f} µs",
            f"{theirs['first_call_us']:,.0f} µs",
        ),
        *(
            (
                f"heap for each kept connection, {name}",
                _kib(ours[f"connection_bytes_{scheme}"] / 1024),
                _kib(theirs[f"connection_bytes_{scheme}"] / 1024),
            )
            for scheme, name in SCHEMES
        ),
        ("threads: loaded, after a call, with a queue", ", ".join(threads), "0"),
        ("size of the library, stripped", _kib(host["library_kib"]), ""),
    )
    return ["| | libhanko | libcurl alone |", "|---|---|---|", *(f"| {' | '.join(row)} |" for row in rows)]


def _kib(kibibytes: float) -> str:
    return f"{kibibytes:,.0f} KiB"


def _counts_table(counted: dict[str, Any]) -> list[str]:
    rows = (
        ("instructions", "instructions"),
        ("… of libhanko", "instructions of libhanko"),
        ("… with the C library for it", "instructions of libhanko and of the C library for it"),
        ("allocations", "allocations"),
        ("… of libhanko", "allocations of libhanko"),
        ("system calls", "system calls"),
        ("bytes sent", "bytes sent"),
        ("bytes received", "bytes received"),
    )
    lines = []
    for scheme, name in SCHEMES:
        columns = {
            key.split(", ")[0]: figures
            for key, figures in counted["validations"].items()
            if key.endswith(f", {scheme}")
        }
        titles = [PROGRAMS_BY_KEY[key].name for key in columns]
        lines += ["", f"| {name} | {' | '.join(titles)} |", f"|---|{'---|' * len(titles)}"]
        for title, key in rows:
            if any(key in figures for figures in columns.values()):
                cells = [f"{figures[key]:,.0f}" if key in figures else "" for figures in columns.values()]
                lines.append(f"| {title} | {' | '.join(cells)} |")
    return lines[1:]
