"""Every token that a run used, and every text that the library let out: the two must not meet.

Tokens are noted where they are made (`messages.mint`) or handed to the library, texts where they
come out of it: error texts, log lines, the standard error of this process and of its children.
A test that runs last searches the one for the other.
"""

from __future__ import annotations

from collections.abc import Iterable

# A token shorter than this may be a part of an innocent word.
SHORTEST_TOKEN = 8

# Of a long token no piece of this length may come out; any piece of twice the length holds one of them whole.
PIECE = 16

# Where a token is far longer than any real one, its beginning tells enough.
LONGEST_LOOKED_AT = 8192

tokens: set[bytes] = set()
texts: set[str] = set()


def used(token: bytes) -> bytes:
    """Note a token that must not come out anywhere."""
    if len(token) >= SHORTEST_TOKEN:
        tokens.add(token[:LONGEST_LOOKED_AT])
    return token


def said(text: str) -> str:
    """Note a text that came out of the library."""
    texts.update(text.splitlines())
    return text


def pieces_of(token: bytes) -> list[str]:
    """What to search for: the whole of a short token, every piece of a long one."""
    text = token.decode("utf-8", "replace")
    if len(text) < 2 * PIECE:
        return [text]
    return [text[start : start + PIECE] for start in range(0, len(text) - PIECE + 1, PIECE)]


def leaks(used_tokens: Iterable[bytes], said_texts: Iterable[str]) -> list[str]:
    """The pieces of tokens that stand in one of the texts."""
    everything = "\n".join(sorted(said_texts))
    windows = {everything[start : start + PIECE] for start in range(len(everything))}
    found = set()
    for token in used_tokens:
        for piece in pieces_of(token):
            if piece in windows if len(piece) == PIECE else piece in everything:
                found.add(piece)
    return sorted(found)
