"""Partial text on its way to whoever waits for it.

A stream that broke, was no answer, or came from a model that failed begins anew; then RESTARTED comes first, and what
was told before it counts no more.
"""

from collections.abc import Callable

from backend.language_models.questions import OnText


class Restarted(str):
    """Told apart by its class or by `is`: its text is empty, so that it harms nobody who only joins what comes."""

    __slots__ = ()


RESTARTED = Restarted()


class Telling:
    """What one question has told so far."""

    def __init__(self, on_text: OnText) -> None:
        self._on_text = on_text
        self._told = False

    def begin(self) -> Callable[[str], None]:
        """Where the next try's text goes."""
        if self._told:
            self._on_text(RESTARTED)
            self._told = False
        return self._tell

    def _tell(self, text: str) -> None:
        self._told = True
        self._on_text(text)
