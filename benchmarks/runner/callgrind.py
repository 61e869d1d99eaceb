"""Reads what callgrind wrote (with uncompressed names and positions) and says whose instructions they were."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

# Objects whose instructions are libcurl's and what it calls, as seen from a caller.
TRANSPORT = ("libcurl", "libssl", "libcrypto", "libnghttp2")


@dataclass
class Profile:
    """Instructions by object, by function, and those that calls from one object's functions into others took."""

    of_object: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    of_function: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    of_call: dict[tuple[str, str, str, str], int] = field(default_factory=lambda: defaultdict(int))

    @property
    def total(self) -> int:
        return sum(self.of_object.values())

    def own(self, library: str) -> int:
        """Instructions of a library's own code."""
        return sum(cost for name, cost in self.of_object.items() if name.startswith(library))

    def own_with_c_library(self, library: str) -> int:
        """The same, and what its calls into the C library took."""
        called = sum(
            cost
            for (caller, _, callee, _), cost in self.of_call.items()
            if caller.startswith(library) and not callee.startswith((library, *TRANSPORT))
        )
        return self.own(library) + called


def read(path: Path) -> Profile:
    profile = Profile()
    here = there = ("", "")
    is_call = False
    with path.open() as lines:
        for line in lines:
            line = line.rstrip("\n")
            key, separator, value = line.partition("=")
            if separator and key in ("ob", "fn", "cob", "cfn", "calls", "fl", "fi", "fe", "cfi", "cfl"):
                if key == "ob":
                    here = (_name(value), here[1])
                elif key == "fn":
                    here = (here[0], value)
                    there = here
                elif key == "cob":
                    there = (_name(value), there[1])
                elif key == "cfn":
                    there = (there[0], value)
                elif key == "calls":
                    is_call = True
                continue
            if not line or not (line[0].isdigit() or line[0] in "+-*"):
                continue
            cost = int(line.split()[1])
            if is_call:
                profile.of_call[here + there] += cost
                is_call = False
                there = here
            else:
                profile.of_object[here[0]] += cost
                profile.of_function[here] += cost
    return profile


def _name(path: str) -> str:
    return path.rsplit("/", 1)[-1]
