"""What is measured beside what."""

from __future__ import annotations

from dataclasses import dataclass, replace

HTTP, TLS = "http", "https"
LOOPBACK_REPEATS = 7
# Where a round is short, so that more of them cost little.
QUICK_REPEATS = 15
DELAYED_REPEATS = 3
DELAYS = (1, 10, 50)


@dataclass(frozen=True)
class Workload:
    """One program of ours beside those of others, all in the same circumstances."""

    language: str
    in_flight: int
    ours: str
    peers: tuple[str, ...]
    scheme: str = HTTP
    delay: float = 0
    repeats: int = LOOPBACK_REPEATS
    seconds: float = 0.4
    # How many connections may be open; as many as are in flight unless said otherwise.
    connections: int = 0

    @property
    def key(self) -> str:
        """Its name in results.json."""
        parts = [self.language.lower(), "one" if self.in_flight == 1 else str(self.in_flight), self.scheme]
        if self.ours == "hanko-threads":
            parts.insert(1, "threads")
        if self.connections:
            parts.append(f"{self.connections}connections")
        if self.delay:
            parts.append(f"{self.delay:g}ms")
        return "-".join(parts)

    @property
    def is_pinned(self) -> bool:
        """Whether program and server share one core: one at a time, they never work at once, and on two cores one
        would measure how long this machine takes to wake an idle one."""
        return self.in_flight == 1 and self.delay == 0


_C_ONE = Workload("C", 1, "hanko-blocking", ("curl-kept", "curl-new"), repeats=QUICK_REPEATS)
_C_MANY = Workload(
    "C", 32, "hanko-queue", ("curl-multi", "curl-multi-worker", "curl-threads", "go-nethttp"), repeats=QUICK_REPEATS
)
_C_THREADS = Workload("C", 32, "hanko-threads", ("curl-threads",), repeats=QUICK_REPEATS)
_PYTHON_ONE = Workload(
    "Python", 1, "python-hanko", ("python-guide", "python-session", "python-httpx", "python-urllib3")
)
_ASYNCIO = Workload("asyncio", 32, "asyncio-hanko", ("asyncio-aiohttp", "asyncio-httpx", "asyncio-guide"))
_GO = Workload("Go", 1, "go-hanko", ("go-nethttp",), repeats=QUICK_REPEATS)


def _over_tls(workload: Workload) -> Workload:
    """The same over TLS, where libcurl and Go come with HTTP/2; beside them what they do with HTTP/1.1 alone."""
    peers = list(workload.peers)
    for plain, only_http1 in (
        ("curl-kept", "curl-kept-http1"),
        ("curl-multi", "curl-multi-http1"),
        ("curl-multi-worker", "curl-multi-worker-http1"),
        ("go-nethttp", "go-nethttp-http1"),
    ):
        if plain in peers and workload.in_flight <= 32:
            peers.insert(peers.index(plain) + 1, only_http1)
    return replace(workload, scheme=TLS, peers=tuple(peers))


def on_loopback(is_full: bool) -> list[Workload]:
    """The table, over HTTP and over TLS."""
    plain = [
        _C_ONE,
        _C_MANY,
        replace(_C_MANY, in_flight=256, peers=("curl-multi", "curl-threads")),
        _C_THREADS,
        _PYTHON_ONE,
        _ASYNCIO,
        replace(_ASYNCIO, in_flight=256),
        _GO,
        replace(_GO, in_flight=32),
    ]
    over_tls = [_over_tls(workload) for workload in plain]
    if not is_full:
        over_tls = [_without_slow_rows(workload) for workload in over_tls]
    return plain + over_tls


def _without_slow_rows(workload: Workload) -> Workload:
    """The guide in asyncio has as many threads as its executor, however many wait: with 256 in flight it is what it is
    with 32, and takes minutes to show that over TLS."""
    if workload.language != "asyncio" or workload.in_flight <= 32:
        return workload
    return replace(workload, peers=tuple(peer for peer in workload.peers if peer != "asyncio-guide"))


def at_a_distance(milliseconds: float, best_peers: dict[str, str]) -> list[Workload]:
    """One at a time and 32 in flight over HTTP, each beside the best of its peers."""
    some = [_C_ONE, _C_MANY, _PYTHON_ONE, _ASYNCIO, _GO, replace(_GO, in_flight=32)]
    return [
        replace(
            workload,
            peers=(best_peers.get(workload.key, workload.peers[0]),),
            delay=milliseconds,
            repeats=DELAYED_REPEATS,
            seconds=max(0.4, milliseconds / 50),
        )
        for workload in some
    ]


def at_the_limit() -> Workload:
    """More in flight than connections may be open, as it is with the default of 64 connections."""
    return replace(_C_MANY, in_flight=256, connections=64, delay=10, peers=("curl-multi",), repeats=DELAYED_REPEATS)


def every_combination(milliseconds: float) -> list[Workload]:
    """All that is measured on loopback, at a distance."""
    return [
        replace(workload, delay=milliseconds, repeats=DELAYED_REPEATS, seconds=max(0.4, milliseconds / 50))
        for workload in on_loopback(is_full=True)
    ]
