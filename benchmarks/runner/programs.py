"""The programs that are measured: how each is built, started and what it is called in the table."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from typing import Callable

from .paths import BUILD, LIBRARY, PROGRAMS, PYTHON, REPOSITORY, SOURCES

C_FLAGS = ["-O2", "-g", "-std=gnu11", "-Wall", "-Wextra", f"-I{REPOSITORY / 'include'}"]
ON_LIBHANKO = ["hanko_blocking", "hanko_threads", "hanko_queue"]
ON_LIBCURL = ["curl_easy", "curl_multi", "curl_multi_worker", "curl_threads"]


@dataclass(frozen=True)
class Program:
    """A program of the benchmark. `key` names it in results.json, `name` in the table."""

    key: str
    name: str
    command: tuple[str, ...]
    language: str = "C"

    @property
    def is_here(self) -> bool:
        return self.language != "Go" or has_go()


def _c(key: str, name: str, program: str, *arguments: str) -> Program:
    return Program(key, name, (str(PROGRAMS / program), *arguments))


def _python(key: str, name: str, script: str) -> Program:
    return Program(key, name, (str(PYTHON), str(SOURCES / "python" / f"{script}.py")), "Python")


def _go(key: str, name: str, program: str, *arguments: str) -> Program:
    return Program(key, name, (str(PROGRAMS / program), *arguments), "Go")


PROGRAMS_BY_KEY = {
    program.key: program
    for program in (
        _c("hanko-blocking", "libhanko", "hanko_blocking"),
        _c("hanko-blocking-session", "libhanko, with the session", "hanko_blocking", "session"),
        _c("hanko-environment", "libhanko, hanko_validate", "hanko_blocking", "environment"),
        _c("hanko-threads", "libhanko, threads", "hanko_threads"),
        _c("hanko-queue", "libhanko, queue", "hanko_queue"),
        _c("curl-kept", "curl_easy, handle kept", "curl_easy", "kept"),
        _c("curl-kept-http1", "curl_easy, handle kept, HTTP/1.1", "curl_easy", "kept1"),
        _c("curl-new", "curl_easy, new handle", "curl_easy", "new"),
        _c("curl-multi", "curl_multi", "curl_multi"),
        _c("curl-multi-http1", "curl_multi, HTTP/1.1", "curl_multi", "http1"),
        _c("curl-multi-worker", "curl_multi in a thread of its own", "curl_multi_worker"),
        _c("curl-multi-worker-http1", "curl_multi in a thread of its own, HTTP/1.1", "curl_multi_worker", "http1"),
        _c("curl-threads", "curl_easy in threads", "curl_threads"),
        _python("python-hanko", "libhanko", "hanko_client"),
        _python("python-guide", "Hanko's guide, requests.post", "requests_guide"),
        _python("python-session", "requests.Session", "requests_session"),
        _python("python-httpx", "httpx.Client", "httpx_client"),
        _python("python-urllib3", "urllib3", "urllib3_pool"),
        _python("asyncio-hanko", "libhanko", "asyncio_hanko"),
        _python("asyncio-aiohttp", "aiohttp", "asyncio_aiohttp"),
        _python("asyncio-httpx", "httpx.AsyncClient", "asyncio_httpx"),
        _python("asyncio-guide", "Hanko's guide, asyncio.to_thread", "asyncio_guide"),
        _go("go-hanko", "libhanko, our cgo example", "go_hanko"),
        _go("go-nethttp", "net/http", "go_nethttp"),
        _go("go-nethttp-http1", "net/http, HTTP/1.1", "go_nethttp", "http1"),
    )
}


def has_go() -> bool:
    return shutil.which("go") is not None


def build() -> None:
    """Builds everything that has to be built; the library itself is there already."""
    if not LIBRARY.exists():
        raise SystemExit(f"{LIBRARY.name} is missing; `make build` makes it")
    PROGRAMS.mkdir(parents=True, exist_ok=True)
    # The programs look for the name that the linker wrote into them, beside themselves.
    for name in ("libhanko.so", "libhanko.so.0"):
        link = PROGRAMS / name
        link.unlink(missing_ok=True)
        link.symlink_to(LIBRARY)
    for name in ON_LIBHANKO:
        with_libhanko = [f"-L{PROGRAMS}", "-lhanko", "-Wl,-rpath,$ORIGIN"]
        _compile(name, [f"{name}.c", "client.c", "bench.c"], with_libhanko)
    for name in ON_LIBCURL:
        _compile(name, [f"{name}.c", "bench.c"], ["-lcurl"])
    _compile("host_cost", ["host_cost.c", "bench.c"], ["-ldl"])
    _compile("delay", ["delay.c"], [])
    _compile("allocations.so", ["allocations.c"], ["-shared", "-fPIC", "-ldl"])
    if has_go():
        _build_go()


def _compile(name: str, files: list[str], options: list[str]) -> None:
    sources = [str(SOURCES / "c" / file) for file in files]
    subprocess.run(["cc", *C_FLAGS, *sources, "-o", str(PROGRAMS / name), *options, "-lpthread"], check=True)


def _build_go() -> None:
    """The peer is an ordinary program. Ours is examples/go itself: the benchmark is laid over it as a test, the one
    thing that Go lets into a program from outside."""
    folder = SOURCES / "go"
    environment = {**os.environ, "GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local", "CGO_ENABLED": "1"}
    environment["CGO_CFLAGS"] = f"-O2 -I{REPOSITORY / 'include'}"
    environment["CGO_LDFLAGS"] = f"-L{PROGRAMS} -Wl,-rpath,$ORIGIN"
    environment["CGO_LDFLAGS_ALLOW"] = ".*"
    peer = ["go", "build", "-o", str(PROGRAMS / "go_nethttp"), "harness.go", "nethttp.go"]
    subprocess.run(peer, cwd=folder, env=environment, check=True)
    example = REPOSITORY / "examples" / "go"
    overlay = BUILD / "overlay.json"
    laid_over = {f"{example}/{name}_test.go": f"{folder}/{name}.go" for name in ("harness", "example")}
    overlay.write_text(json.dumps({"Replace": laid_over}))
    ours = ["go", "test", "-c", "-vet=off", f"-overlay={overlay}", "-o", str(PROGRAMS / "go_hanko"), "."]
    subprocess.run(ours, cwd=example, env=environment, check=True)


@dataclass(frozen=True)
class Run:
    """What one run of a program came to."""

    validations: int
    seconds: float

    @property
    def per_second(self) -> float:
        return self.validations / self.seconds


class WrongAnswer(Exception):
    """A program ended with an error: it did not get the answers that it should have got."""


def environment(
    url: str,
    token_file: object,
    authorities: object | None,
    *,
    in_flight: int = 1,
    connections: int | None = None,
    seconds: float | None = None,
    count: int | None = None,
) -> dict[str, str]:
    """The settings of c/bench.h, and those by which each library learns of the server and its authority."""
    kept = ("PATH", "HOME", "LANG", "TMPDIR")
    settings = {name: os.environ[name] for name in kept if name in os.environ}
    settings.update(
        BENCH_API_URL=url,
        BENCH_TOKEN=str(token_file),
        BENCH_IN_FLIGHT=str(in_flight),
        BENCH_CONNECTIONS=str(connections or in_flight),
        HANKO_API_URL=url,
        HANKO_MAX_CONNECTIONS=str(connections or in_flight),
        HANKO_LIBRARY=str(LIBRARY),
        PYTHONPATH=str(REPOSITORY / "bindings" / "python" / "src"),
        PYTHONDONTWRITEBYTECODE="1",
    )
    if authorities is not None and url.startswith("https:"):
        for name in ("BENCH_CA", "HANKO_CA_FILE", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
            settings[name] = str(authorities)
    if count is not None:
        settings["BENCH_COUNT"] = str(count)
    if seconds is not None:
        settings["BENCH_SECONDS"] = str(seconds)
    return settings


def every_core() -> set[int]:
    return os.sched_getaffinity(0)


def one_core() -> set[int]:
    return {max(every_core())}


def on(cores: set[int]) -> Callable[[], None]:
    """What a child process has to do first to stay on these cores."""
    return lambda: os.sched_setaffinity(0, cores)


def run(program: Program, settings: dict[str, str], cores: set[int] | None = None) -> Run:
    """Runs a program to its end, on some of the cores only if told so."""
    done = subprocess.run(
        program.command,
        check=False,
        env=settings,
        capture_output=True,
        text=True,
        timeout=300,
        preexec_fn=on(cores or every_core()),
    )
    if done.returncode != 0:
        raise WrongAnswer(f"{program.key} ended with {done.returncode}: {done.stderr.strip()[-500:]}")
    return Run(**json.loads(done.stdout.splitlines()[-1]))
