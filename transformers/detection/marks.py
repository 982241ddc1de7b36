"""What a person has said of some rows: which of their cells are wrong.

It speaks for or against each rule on each column, it finds cells that look like the wrong ones, and it is final for
the cells themselves. A marked row names all its wrong cells: its other cells are right.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from transformers.cells.kinds import literal
from transformers.detection.workbench import EVIDENCE, Workbench
from transformers.tables import SOURCE_ROW

Marks = Mapping[int, Mapping[str, bool]]  # source row → column → is wrong
MOST_ROWS = 20
SAID = 0.2  # a rule that says less has said nothing that could be confirmed
FAITH = 4.0  # failures that a rule's own confidence is worth
RARE_SHAPE = 0.3  # of a column's cells: what most cells look like says nothing against them
ALIKE = 0.6  # one wrong cell of a shape that no right cell has


@dataclass(frozen=True)
class Mark:
    row: int
    place: int
    wrong: bool
    text: str | None


@dataclass(frozen=True)
class Trial:
    """A rule on a cell of which the truth is known."""

    place: int
    rule: str
    sure: float
    held: bool


def read_marks(bench: Workbench, labels: Marks) -> tuple[Mark, ...]:
    """The first rows, as many as are looked at."""
    places = {column.name: place for place, column in enumerate(bench.columns)}
    rows = sorted(labels)[:MOST_ROWS]
    asked = [(row, places[name], bool(wrong)) for row in rows for name, wrong in labels[row].items() if name in places]
    texts = _texts(bench, rows) if asked else {}
    return tuple(Mark(row, place, wrong, texts[row][place]) for row, place, wrong in asked if row in texts)


def _texts(bench: Workbench, rows: list[int]) -> dict[int, tuple[str | None, ...]]:
    cells = ", ".join(bench.text(place) for place in range(len(bench.columns)))
    listed = ", ".join(str(int(row)) for row in rows)
    found = bench.db.execute(f"SELECT {SOURCE_ROW}, {cells} FROM {bench.relation} WHERE {SOURCE_ROW} IN ({listed})")
    return {row: tuple(texts) for row, *texts in found.fetchall()}


def weigh(bench: Workbench, marks: tuple[Mark, ...]) -> None:
    """After all rules have spoken."""
    if not marks:
        return
    _find_alike(bench, marks)
    _judge_rules(bench, marks)
    for mark in marks:
        bench.db.execute(
            f"DELETE FROM {EVIDENCE} WHERE source_row = {mark.row} AND place = {mark.place} AND {_final(mark)}"
        )
        if mark.wrong:
            bench.add(f"SELECT {mark.row}, {mark.place}, 'marked', 'marked', 1.0, NULL, 0.0")


def _final(mark: Mark) -> str:
    """A wrong cell keeps what the rules would put there."""
    return "suggestion IS NULL AND certainty = 0" if mark.wrong else "true"


def _judge_rules(bench: Workbench, marks: tuple[Mark, ...]) -> None:
    wrong = {(mark.row, mark.place): mark.wrong for mark in marks}
    rows = ", ".join(str(row) for row in sorted({mark.row for mark in marks}))
    doubted = bench.db.execute(
        f"SELECT source_row, place, split_part(rule, ':', 1) AS rule, max(confidence) FROM {EVIDENCE}"
        f" WHERE source_row IN ({rows}) AND confidence >= 0.5 GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    trials = [Trial(p, rule, sure, wrong[row, p]) for row, p, rule, sure in doubted if (row, p) in wrong]
    calibrate(bench, "confidence", trials)


def calibrate(bench: Workbench, figure: str, trials: Sequence[Trial]) -> None:
    """What a rule leaves open on a column grows or shrinks with its failures over the expected ones."""
    tried: dict[tuple[int, str], list[Trial]] = defaultdict(list)
    for trial in trials:
        tried[trial.place, trial.rule].append(trial)
    for (place, rule), those in sorted(tried.items()):
        failures = sum(not trial.held for trial in those)
        expected = sum(1 - trial.sure for trial in those)
        factor = round((failures + FAITH) / (expected + FAITH), 9)
        bench.db.execute(
            f"UPDATE {EVIDENCE} SET {figure} = greatest(0.0, 1 - (1 - {figure}) * {factor})"
            f" WHERE place = {place} AND split_part(rule, ':', 1) = {literal(rule)} AND {figure} > {SAID}"
        )


def _find_alike(bench: Workbench, marks: tuple[Mark, ...]) -> None:
    """Cells of a rare shape that only wrong cells have which no rule doubted; right ones have another."""
    unseen = _unseen(bench, marks)
    for place in sorted({mark.place for mark in marks}):
        bad, good = (
            [shape(m.text) for m in marks if m.place == place and m.wrong is w and (m in unseen or not w)]
            for w in (True, False)
        )
        for form in sorted(set(bad) - set(good)):
            confidence = 1 - (1 - ALIKE) / bad.count(form)
            _doubt_shape(bench, place, form, confidence)


def _unseen(bench: Workbench, marks: tuple[Mark, ...]) -> set[Mark]:
    """Wrong cells that no rule doubted."""
    rows = ", ".join(str(row) for row in sorted({mark.row for mark in marks}))
    doubted = bench.db.execute(
        f"SELECT DISTINCT source_row, place FROM {EVIDENCE} WHERE source_row IN ({rows}) AND confidence >= 0.5"
    ).fetchall()
    return {mark for mark in marks if mark.wrong and (mark.row, mark.place) not in doubted}


def _doubt_shape(bench: Workbench, place: int, form: str, confidence: float) -> None:
    found = _shape_of(bench.text(place))
    [[share]] = bench.db.execute(f"SELECT avg(({found} = {literal(form)})::INTEGER) FROM {bench.relation}").fetchall()
    if share and share <= RARE_SHAPE:
        bench.add(
            f"SELECT {SOURCE_ROW}, {place}, 'marked', 'marked_alike', {confidence}, NULL, 0.0 FROM {bench.relation}"
            f" WHERE {found} = {literal(form)}"
        )


def shape(text: str | None) -> str:
    """Runs of digits and of letters become one sign each."""
    import re

    return re.sub("[A-Za-z]+", "a", re.sub("[0-9]+", "9", text or ""))


def _shape_of(text: str) -> str:
    return f"regexp_replace(regexp_replace(coalesce({text}, ''), '[0-9]+', '9', 'g'), '[A-Za-z]+', 'a', 'g')"
