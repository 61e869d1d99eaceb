"""The words for 0 and 1 that the library takes in its variables."""

from __future__ import annotations

from typing import Optional

_FALSE = ("0", "false", "no", "off")
_TRUE = ("1", "true", "yes", "on")


def truth(word: str) -> Optional[bool]:
    """What a word means, in any case; None for one that means neither."""
    word = word.lower() if word.isascii() else ""
    if word in _FALSE:
        return False
    return True if word in _TRUE else None
