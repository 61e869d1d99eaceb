"""What must be made new in a forked child: locks that another thread may have held, and what belongs to a loop."""

from __future__ import annotations

import os
import weakref
from typing import Any, Callable, TypeVar

Item = TypeVar("Item")

_renewals: weakref.WeakKeyDictionary[Any, Callable[[Any], None]] = weakref.WeakKeyDictionary()


def renew_after_fork(item: Item, renew: Callable[[Item], None]) -> None:
    """Have a function called with an object in forked children, as long as the object lives."""
    _renewals[item] = renew


def call_after_fork(function: Callable[[], None]) -> None:
    """Have a function called in forked children."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=function)


def _renew() -> None:
    for item, renew in list(_renewals.items()):
        renew(item)


call_after_fork(_renew)
