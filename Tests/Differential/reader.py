"""The library's JSON reader as a program that answers for many documents at once."""

from __future__ import annotations

import os
import struct
import subprocess
from pathlib import Path
from typing import List, Optional, Sequence

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
SUPPORT = ["ASCII", "ByteView", "Clock", "Random", "SecretBuffer", "TextMemory", "UTF8Text", "UUIDValue"]


class Reader:
    """A compiled program; `read` runs it once for a list of documents."""

    def __init__(self, program: Path) -> None:
        self.program = program

    @classmethod
    def build(cls, root: Path) -> Reader:
        """Compile the program into the build folder; raises CalledProcessError with the compiler's words."""
        folder = root / ".build/differential"
        folder.mkdir(parents=True, exist_ok=True)
        core = root / "Sources/HankoCore"
        sources = [
            *sorted(Path(__file__).parent.glob("*.swift")),
            *sorted((core / "JSON").glob("*.swift")),
            *(core / f"Support/{name}.swift" for name in SUPPORT),
        ]
        compiler = os.environ.get("SWIFTC") or os.environ.get("SWIFT", "swift") + "c"
        program = folder / "reader"
        subprocess.run(
            [compiler, *FLAGS, "-module-name", "ReaderProgram", *map(str, sources), "-o", str(program)],
            cwd=root,
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return cls(program)

    def read(self, documents: Sequence[bytes]) -> List[Optional[bytes]]:
        """What the reader found in each document, in the form of `strict.reading`; None for a refused one."""
        sent = b"".join(LENGTH.pack(len(document)) + document for document in documents)
        done = subprocess.run([str(self.program)], input=sent, stdout=subprocess.PIPE, timeout=120)
        replies: List[Optional[bytes]] = []
        position = 0
        while position + LENGTH.size <= len(done.stdout):
            (length,) = LENGTH.unpack_from(done.stdout, position)
            position += LENGTH.size
            reply = done.stdout[position : position + length]
            assert len(reply) == length and reply[:1] in (b"A", b"R"), f"not a reply: {reply[:100]!r}"
            replies.append(reply[1:] if reply[:1] == b"A" else None)
            position += length
        if done.returncode != 0 or len(replies) != len(documents):
            culprit = documents[len(replies)] if len(replies) < len(documents) else b""
            raise AssertionError(f"the reader ended with status {done.returncode} at the document {culprit!r}")
        return replies
