"""Where things are."""

from __future__ import annotations

import os
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
SOURCES = REPOSITORY / "benchmarks"
BUILD = REPOSITORY / ".build" / "benchmarks"
PROGRAMS = BUILD / "bin"
PYTHON = BUILD / "venv" / "bin" / "python"
# The library that is measured: what `make build` made, unless somebody wants to know about another one.
LIBRARY = Path(os.environ.get("HANKO_LIBRARY", REPOSITORY / ".build" / "release" / "libhanko.so")).resolve()
