"""Which variable or setting somebody meant by a name that is none; the library follows the same rules (NearName)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Optional

from ._variables import LIBRARY_VARIABLES

_PREFIX = "HANKO_"
_LONGEST = 32

# What looks like a name of ours and is not.
_OF_OTHERS = ("HANKO_APP_URL",)
# Units and the like that people add to a name.
_ADDITIONS = ("_MS", "_S", "_SEC", "_SECONDS", "_MILLISECONDS", "_LEVEL", "_COUNT", "_LIST")

VARIABLES = (*LIBRARY_VARIABLES, "HANKO_LIBRARY", "HANKO_PROTECTED_PATHS", "HANKO_ADMIN_URL")
"""What the library, this package and its examples read."""


def misspelled(names: Iterable[object], known: Sequence[str] = VARIABLES) -> dict[str, str]:
    """Names that are near to a known one and none of them, each with the one that was meant.

    Others are left alone: a program may have names of its own that begin so.
    """
    meant = {name: _meant_by(name, known) for name in names if isinstance(name, str)}
    return {name: near for name, near in meant.items() if near is not None}


def _meant_by(name: str, known: Sequence[str]) -> Optional[str]:
    if not name.startswith(_PREFIX) or name.startswith("HANKO_TEST_") or name in known or name in _OF_OTHERS:
        return None
    own = name[len(_PREFIX) :].upper()
    if not own or len(own) > _LONGEST:
        return None
    stems = {candidate: candidate[len(_PREFIX) :] for candidate in known}
    distances = {candidate: _distance(own, stem) for candidate, stem in stems.items()}
    nearest = min(distances, key=distances.__getitem__, default=None)
    if nearest is not None and distances[nearest] < 3:
        return nearest
    return next((candidate for candidate, stem in stems.items() if _is_variant(own, stem, stems.values())), None)


def _distance(own: str, meant: str) -> int:
    """Letters left out, added, replaced, or swapped with the next; 3 where it is no mistyping any more."""
    if abs(len(own) - len(meant)) > 2:
        return 3
    before: list[int] = []
    last = list(range(len(meant) + 1))
    for row, letter in enumerate(own, 1):
        current = [row]
        for column, other in enumerate(meant, 1):
            least = min(last[column] + 1, current[-1] + 1, last[column - 1] + (letter != other))
            if row > 1 and column > 1 and letter == meant[column - 2] and own[row - 2] == other:
                least = min(least, before[column - 2] + 1)
            current.append(least)
        before, last = last, current
    # Where names are short, or begin otherwise, two letters make another word: LANG is not LOG.
    most = 2 if len(meant) > 4 and own[0] == meant[0] else 1
    return last[-1] if last[-1] <= most else 3


def _is_variant(own: str, meant: str, stems: Iterable[str]) -> bool:
    words, meant_words = own.split("_"), meant.split("_")
    if own.endswith("Y") and own[:-1] + "IES" == meant:
        return True
    if sorted(words) == sorted(meant_words):
        return True
    lacks_last = words == meant_words[:-1]
    if lacks_last or (len(meant_words) == 3 and len(words) == 2 and set(words) <= set(meant_words)):
        # TIMEOUT is TIMEOUT_MS, but MAX may be several.
        return sum(words == stem.split("_")[:-1] for stem in stems) <= 1
    for addition in _ADDITIONS:
        rest = own[: -len(addition)]
        # In place of a unit of ours, or besides.
        if own.endswith(addition) and rest and (rest == meant or rest + "_MS" == meant):
            return True
    return False
