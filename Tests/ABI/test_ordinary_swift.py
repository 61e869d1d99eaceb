"""The same sources as ordinary Swift: the way out, should Embedded Swift stand in the way one day."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from hanko.standin import StandIn

ROOT = Path(__file__).resolve().parent.parent.parent
SCRATCH = ROOT / ".build" / "ordinary"

PROGRAM = """
import ctypes, sys
library = ctypes.CDLL(sys.argv[1])
library.hanko_validate.argtypes = [ctypes.c_char_p]
print([library.hanko_validate(token.encode()) for token in sys.argv[2:]])
"""


def test_it_builds_and_validates() -> None:
    command = [os.environ.get("SWIFT", "swift"), "build", "-c", "release", "-Xswiftc", "-static-stdlib"]
    built = subprocess.run(
        [*command, "--scratch-path", str(SCRATCH)],
        cwd=ROOT,
        env={**os.environ, "HANKO_ORDINARY_SWIFT": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert built.returncode == 0, built.stdout
    with StandIn(key_bits=2048) as hanko:
        good = hanko.mint_session().token
        forged = hanko.mint_forged().token
        asked = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(SCRATCH / "release" / "libhanko.so"), good, forged, good],
            env={**os.environ, "HANKO_API_URL": hanko.api_url},
            capture_output=True,
            text=True,
        )
    assert asked.stdout.strip() == "[1, 0, 1]", asked.stderr
