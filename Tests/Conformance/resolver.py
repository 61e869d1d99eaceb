"""Builds the preloaded name resolver and says how a child process gets it."""

from __future__ import annotations

import os
import pathlib
import subprocess

SOURCE = pathlib.Path(__file__).with_name("resolver.c")


class Resolver:
    """A shared object that answers for the name ``hanko.test``."""

    name = "hanko.test"

    def __init__(self, folder: pathlib.Path) -> None:
        self._folder = folder
        self._object = folder / "resolver.so"
        subprocess.run(
            ["gcc", "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", str(self._object), str(SOURCE), "-ldl"],
            check=True,
        )
        self._log = folder / "asked.log"

    def environment(self, answer: str) -> dict[str, str]:
        """The variables for a child: ``silent``, ``unknown`` or ``loopback``. Forgets earlier questions."""
        self._log.write_text("")
        # Beside what is preloaded already, a sanitizer for example, which wants to be first.
        preloaded = " ".join(filter(None, [os.environ.get("LD_PRELOAD"), str(self._object)]))
        return {"LD_PRELOAD": preloaded, "RESOLVER_ANSWER": answer, "RESOLVER_LOG": str(self._log)}

    @property
    def questions(self) -> int:
        """How often the name was asked for since ``environment``."""
        return len(self._log.read_text().splitlines())
