"""How likely a text is in a column: a smoothed model of characters, learned from the column's own values.

A spelling that shares its letters' order with many other values of the column (…street, …son) is likelier than one
that does not (…steret). Every group of values (a cluster) counts once for a run of characters, and one occurrence is
taken off again: what only the group asked about has written says nothing in its favour.
"""

import math
from collections import Counter
from collections.abc import Iterable

ORDER = 4  # characters that tell the next one: with fewer, words are not told apart; more need more data than we hold
LONGEST = 60  # characters read of a value: enough for an address line
ALPHABET = 60  # characters a column may hold that the sample did not show
MOST_KNOWN = 5_000  # texts whose probability is kept: a cluster asks for the same few many times
MOST_RUNS = 5_000  # runs of characters whose probability is kept: a column's texts are made of the same few thousand
_BEGIN, _END = "\x02", "\x03"


class TextModel:
    def __init__(self, groups: Iterable[Iterable[str]]) -> None:
        self._seen: Counter[str] = Counter()
        for texts, n in Counter(frozenset(texts) for texts in groups).items():
            runs = {run for text in texts for run in _runs(text)}
            self._seen.update(runs if n == 1 else dict.fromkeys(runs, n))
        self._after: Counter[str] = Counter()  # how often a run was followed by anything, one occurrence off
        self._kinds: Counter[str] = Counter()  # by how many different characters
        for run, n in self._seen.items():
            self._kinds[run[:-1]] += 1
            if n > 1:
                self._after[run[:-1]] += n - 1
        self._known: dict[str, float] = {}
        self._logs: dict[str, float] = {}

    def log_probability(self, text: str) -> float:
        if text not in self._known:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            marked = _marked(text)
            places = range(ORDER - 1, len(marked))
            self._known[text] = sum(self._log_next(marked[i - ORDER + 1 : i + 1]) for i in places)
        return self._known[text]

    def _log_next(self, run: str) -> float:
        known = self._logs.get(run)
        if known is None:
            if len(self._logs) >= MOST_RUNS:
                self._logs.clear()
            known = self._logs[run] = math.log(self._next(run[:-1], run[-1]))
        return known

    def _next(self, before: str, character: str) -> float:
        """Witten and Bell's smoothing: what was not seen after a long run is asked after a shorter one."""
        shorter = self._next(before[1:], character) if before else 1 / ALPHABET
        kinds = self._kinds[before] + 1
        seen = max(self._seen[before + character] - 1, 0)
        return (seen + kinds * shorter) / (self._after[before] + kinds)


def _marked(text: str) -> str:
    return _BEGIN * (ORDER - 1) + text[:LONGEST] + _END


def _runs(text: str) -> Iterable[str]:
    marked = _marked(text)
    for end in range(ORDER, len(marked) + 1):
        for length in range(1, ORDER + 1):
            yield marked[end - length : end]
