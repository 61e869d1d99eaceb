"""What a check has found, in words."""

from __future__ import annotations


class Report:
    """Prints findings as they come, and counts what is wrong."""

    def __init__(self) -> None:
        """Nothing was found yet."""
        self.mistakes = 0

    def section(self, title: str) -> None:
        """Begin a part."""
        print(title, flush=True)

    def fact(self, text: str) -> None:
        """Something to know."""
        self._line("", text)

    def good(self, text: str) -> None:
        """Something that is as it should be."""
        self._line("ok", text)

    def wrong(self, text: str) -> None:
        """Something that must be changed."""
        self.mistakes += 1
        self._line("wrong", text)

    def advice(self, text: str) -> None:
        """Something that works and could be better."""
        self._line("advice", text)

    def _line(self, mark: str, text: str) -> None:
        # What came from outside must not move the cursor or colour the terminal.
        clean = "".join(character if character.isprintable() else "?" for character in text)
        print(f"  {mark:<7} {clean}", flush=True)
