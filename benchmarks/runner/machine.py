"""What kind of machine this is, and which versions of others' programs were measured; no names, no paths."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from importlib import metadata
from pathlib import Path

from .paths import PYTHON


def describe() -> str:
    """The machine's class in one line."""
    information = Path("/proc/cpuinfo").read_text()
    model = re.search(r"^model name\s*: (.*)$", information, re.MULTILINE)
    name = " ".join(model.group(1).split()) if model else platform.machine()
    kind = "virtual machine" if re.search(r"^flags\s*:.*\bhypervisor\b", information, re.MULTILINE) else "machine"
    kernel = ".".join(platform.release().split(".")[:2])
    return f"{kind}, {len(os.sched_getaffinity(0))} cores of {name}, Linux {kernel}"


def versions() -> dict[str, str]:
    found = {"C library": " ".join(platform.libc_ver())}
    curl = _words(["curl", "--version"])
    match = re.search(r"libcurl/(\S+) (OpenSSL/\S+)?", curl)
    if match:
        found["libcurl"] = match.group(1)
        found["TLS"] = (match.group(2) or "").replace("/", " ")
    for name, command, pattern in (
        ("nginx", ["/usr/sbin/nginx", "-v"], r"nginx/(\S+)"),
        ("Go", ["go", "version"], r"go(\d\S+)"),
        ("Python", [str(PYTHON), "--version"], r"Python (\S+)"),
    ):
        match = re.search(pattern, _words(command))
        if match:
            found[name] = match.group(1)
    return found


def python_packages() -> dict[str, str]:
    """The versions in the virtual environment of the benchmark."""
    folder = next(PYTHON.parent.parent.glob("lib/python*/site-packages"), None)
    names = ("requests", "urllib3", "httpx", "aiohttp")
    found = {}
    for distribution in metadata.distributions(path=[str(folder)] if folder else []):
        name = distribution.metadata["Name"]
        if name in names:
            found[name] = distribution.version
    return found


def _words(command: list[str]) -> str:
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True)
    except OSError:
        return ""
    return done.stdout + done.stderr
