"""The library's readers as programs that answer for many documents, or connections, at once."""

from __future__ import annotations

import os
import struct
import subprocess
from pathlib import Path
from typing import List, Optional, Sequence

from opinion import ENDINGS, Connection, Opinion

LENGTH = struct.Struct("<I")

# As in Package.swift: what the sources of the core are written for, and the release build's Embedded Swift.
FLAGS = [
    *("-O", "-wmo", "-swift-version", "6", "-package-name", "hanko", "-parse-as-library"),
    *("-enable-experimental-feature", "Embedded"),
    *("-enable-upcoming-feature", "ExistentialAny"),
    *("-enable-upcoming-feature", "InternalImportsByDefault"),
    *("-enable-upcoming-feature", "MemberImportVisibility"),
    *("-Xcc", "-D_GNU_SOURCE", "-Xcc", "-fmodule-map-file=Sources/CSystem/module.modulemap"),
    *("-Xfrontend", "-function-sections", "-use-ld=lld", "-Xlinker", "--gc-sections"),
]

# What the reader needs besides its own folder.
SUPPORT = ["ASCII", "ByteView", "Clock", "Random", "SecretBuffer", "TextMemory", "Timestamp", "UTF8Text", "UUIDValue"]


# The folders that the reader of answers needs, and the files beside them.
FOLDERS = ["Support", "Log", "JSON", "Token", "Session", "Verdict", "HTTP"]
BESIDE = ["Status", "LibraryVersion"]

HERE = Path(__file__).resolve().parent


class Program:
    """A compiled program that answers each frame on its input with one on its output."""

    def __init__(self, program: Path) -> None:
        self.program = program

    @classmethod
    def compile(cls, root: Path, module: str, sources: Sequence[Path]) -> Path:
        """Compile into the build folder; raises CalledProcessError with the compiler's words."""
        folder = root / ".build/differential"
        folder.mkdir(parents=True, exist_ok=True)
        compiler = os.environ.get("SWIFTC") or os.environ.get("SWIFT", "swift") + "c"
        program = folder / module
        subprocess.run(
            [compiler, *FLAGS, "-module-name", module, *map(str, sources), "-o", str(program)],
            cwd=root,
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return program

    def replies(self, frames: Sequence[bytes]) -> List[bytes]:
        """One for each frame, from one run."""
        sent = b"".join(LENGTH.pack(len(frame)) + frame for frame in frames)
        done = subprocess.run([str(self.program)], input=sent, stdout=subprocess.PIPE, timeout=120)
        replies: List[bytes] = []
        position = 0
        while position + LENGTH.size <= len(done.stdout):
            (length,) = LENGTH.unpack_from(done.stdout, position)
            position += LENGTH.size
            replies.append(done.stdout[position : position + length])
            assert len(replies[-1]) == length, f"not a reply: {replies[-1][:100]!r}"
            position += length
        if done.returncode != 0 or len(replies) != len(frames):
            culprit = frames[len(replies)] if len(replies) < len(frames) else b""
            raise AssertionError(f"the reader ended with status {done.returncode} at {culprit!r}")
        return replies


class Reader(Program):
    """The reader of JSON; `read` runs it once for a list of documents."""

    @classmethod
    def build(cls, root: Path) -> Reader:
        """Compile the program; raises CalledProcessError with the compiler's words."""
        core = root / "Sources/HankoCore"
        sources = [
            *sorted(HERE.glob("*.swift")),
            *sorted((core / "JSON").glob("*.swift")),
            *(core / f"Support/{name}.swift" for name in SUPPORT),
        ]
        return cls(cls.compile(root, "ReaderProgram", sources))

    def read(self, documents: Sequence[bytes]) -> List[Optional[bytes]]:
        """What the reader found in each document, in the form of `strict.reading`; None for a refused one."""
        replies = self.replies(documents)
        assert all(reply[:1] in (b"A", b"R") for reply in replies), "not replies"
        return [reply[1:] if reply[:1] == b"A" else None for reply in replies]


class ResponseReader(Program):
    """The reader of answers; `read` runs it once for a list of connections."""

    @classmethod
    def build(cls, root: Path) -> ResponseReader:
        """Compile the program; raises CalledProcessError with the compiler's words."""
        core = root / "Sources/HankoCore"
        sources = [
            *sorted((HERE / "HTTP").glob("*.swift")),
            HERE / "Frames.swift",
            *(source for folder in FOLDERS for source in sorted((core / folder).glob("*.swift"))),
            *(core / f"{name}.swift" for name in BESIDE),
        ]
        return cls(cls.compile(root, "ResponseProgram", sources))

    def read(self, connections: Sequence[Connection]) -> List[Opinion]:
        """What the reader found on each connection."""
        replies = self.replies([bytes([ended]) + wire for wire, ended in connections])
        return [
            Opinion(
                ending=ENDINGS[reply[:1]],
                detail=reply[:1].decode(),
                status=int.from_bytes(reply[1:3], "little"),
                body=reply[4:],
                may_keep=bool(reply[3] & 1),
                has_surplus=bool(reply[3] & 2),
            )
            for reply in replies
        ]
