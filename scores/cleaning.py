"""Cleaning cells: dates of mixed shapes, numbers as text, broken encodings; and that nothing is nulled in silence."""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from scores.measure import Measure, Score
from scores.mixed_cells import MixedColumn, mixed_dates, mixed_numbers
from scores.public_data import data
from scores.workshop import read, run, scratch
from transformers.tables import SOURCE_ROW
from transformers.tool import Agent

SEED = 4
FTFY_CASES = ("in-the-wild.json", "language-names.json", "negative.json", "synthetic.json")


@dataclass(frozen=True)
class Outcome:
    exact: int
    wrong: int  # changed to another value than is meant
    silent: int  # lost, or left as it was, without a word in the row-level count
    cells: int


def dates() -> Iterator[Score]:
    from transformers.agents.type_fixer import AGENT

    columns = mixed_dates(SEED)
    found = [_fixed(AGENT, column) for column in columns]
    for column, one in zip(columns, found, strict=True):
        yield Score(dataset=f"dates: {column.name}", metric="exact", ours=one.exact / one.cells, bar=0.999, seed=SEED)
    yield Score(
        dataset=f"dates ({sum(one.cells for one in found):,})",
        metric="cells nulled or left in silence",
        ours=sum(one.silent for one in found),
        bar=0,
        less_is_better=True,
        seed=SEED,
    )


def numbers() -> Iterator[Score]:
    from transformers.agents.type_fixer import AGENT

    columns = mixed_numbers(SEED)
    found = [_fixed(AGENT, column) for column in columns]
    for column, one in zip(columns, found, strict=True):
        yield Score(
            dataset=f"numbers as text: {column.name}", metric="exact", ours=one.exact / one.cells, bar=0.999, seed=SEED
        )
    yield Score(
        dataset=f"numbers as text ({sum(one.cells for one in found):,})",
        metric="cells nulled or left in silence",
        ours=sum(one.silent for one in found),
        bar=0,
        less_is_better=True,
        seed=SEED,
    )


def encodings() -> Iterator[Score]:
    """The cases of ftfy's own tests, but for its known failures: what is broken, and what only looks so."""
    from transformers.agents.field_standardization import AGENT

    cases = [case for name in FTFY_CASES for case in json.loads(data("enc-ftfy", name).read_text(encoding="utf-8"))]
    cells = [case["original"] for case in cases]
    meant = [case.get("fixed-encoding", case["fixed"]) for case in cases]
    off = dict.fromkeys(("trim_whitespace", "normalize_internal_spacing", "repair_values"), False)
    got, _ = _cleaned(AGENT, cells, **off)
    outcomes = list(zip(cells, meant, got, strict=True))
    broken = [found == wanted for cell, wanted, found in outcomes if cell != wanted]
    sound = [found == cell for cell, wanted, found in outcomes if cell == wanted]
    yield Score(dataset="enc-ftfy", metric="broken cells mended", ours=sum(broken) / len(broken), bar=0.99)
    yield Score(dataset="enc-ftfy", metric="sound cells left alone", ours=sum(sound) / len(sound), bar=1.0)


def _fixed(agent: Agent, column: MixedColumn) -> Outcome:
    """What is neither cast nor meant to stay has to be flagged: the count of flags tells how many are."""
    got, flagged = _cleaned(agent, column.cells)
    pairs = list(zip(column.cells, column.meant, got, strict=True))
    exact = sum(_same(found, meant) for _, meant, found in pairs)
    kept = sum(found == cell and not _same(found, meant) for cell, meant, found in pairs)
    unclean = sum(cell == meant and not _is_clean(cell) for cell, meant, _ in pairs)
    lost = sum(found in (None, "") for _, _, found in pairs)
    wrong = len(pairs) - exact - kept
    return Outcome(exact, wrong, lost + max(0, kept + unclean - flagged), len(pairs))


def _is_clean(cell: str) -> bool:
    return (cell[:4].isdigit() and cell != "2024-02-30") or cell.lstrip("-").replace(".", "").isdigit()


def _same(found: str | None, meant: str) -> bool:
    """Numbers as numbers: 12.50 is 12.5."""
    if found == meant:
        return True
    try:
        return found is not None and ":" not in meant and meant.count("-") < 2 and float(found) == float(meant)
    except ValueError:
        return False


def _cleaned(agent: Agent, cells: list[str], **parameters: Any) -> tuple[list[str | None], int]:
    """The column after the agent, in the order of the file, and how many cells it flagged."""
    import pyarrow.parquet as pq

    with scratch() as folder:
        path = folder / "cells.csv"
        with path.open("w", encoding="utf-8", newline="") as stream:
            rows = csv.writer(stream)
            rows.writerow(["number", "cells", "kept"])
            rows.writerows((f"n{number}", cell, "x") for number, cell in enumerate(cells))
        table = read(path, folder)
        delivery = run(agent, {"primary": table}, folder, **parameters)
        after = delivery.table or table
        got = pq.read_table(after.path)
        assert got.column(SOURCE_ROW).to_pylist() == list(range(1, len(cells) + 1))
        return got.column("cells").to_pylist(), int(delivery.result.summary_metrics["cells_flagged"])


MEASURES = (
    Measure("clean-dates", dates),
    Measure("clean-numbers", numbers),
    Measure("clean-encodings", encodings),
)
