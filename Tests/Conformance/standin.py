"""The stand-in Hanko of the Python package, for what should be answered as a real one does it."""

from __future__ import annotations

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bindings" / "python" / "src"))

from hanko.standin import StandIn  # noqa: E402

# Smaller than a real one's, because it is made anew for each stand-in.
KEY_BITS = 2048


def start_standin(**options: object) -> StandIn:
    """A stand-in to be used in `with`."""
    return StandIn(**{"key_bits": KEY_BITS, **options})
