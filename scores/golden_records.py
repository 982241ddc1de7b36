"""Golden records: febrl3's true records and the flights' true times, put together from what the rows say.

febrl3: the -org records are the truth and stand in no input. Of the clusters that the remaining rows make, those of
three and more are scored: it is the reading on which the anchors (longest .01, majority .41, majority + medoid .56)
come out. A record is right where all ten fields are, empty ones too, compared as text.
"""

import csv
import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scores.measure import Measure, Score
from scores.public_data import data
from scores.workshop import read, run, scratch
from transformers.agents import golden_record_builder, survivorship_resolver
from transformers.tables import SOURCE_ROW, Table
from transformers.tool import PRIMARY, AgentContext, Delivery

FEWEST_ROWS = 3
Record = dict[str, str]


def febrl() -> list[Score]:
    rows = _rows(data("er-febrl", "dataset3.csv"))
    truth = {_entity(row): row for row in rows if row["rec_id"].endswith("-org")}
    said = [row for row in rows if not row["rec_id"].endswith("-org")]
    fields = [name for name in said[0] if name != "rec_id"]
    known = [{"entity": _entity(row)} | {name: row[name] for name in fields} for row in said]
    given = _built(known, match_key_columns=["entity"])
    scored = [
        entity for entity, n in _counted(_entity(row) for row in said).items() if n >= FEWEST_ROWS and entity in truth
    ]
    right = {entity for entity in scored if _same(given.get(entity), truth[entity], fields)}
    cells = sum(_cell(given[entity], truth[entity], name) for entity in scored for name in fields)
    return [
        Score(
            dataset="febrl3",
            metric="golden record exact, true clusters",
            ours=len(right) / len(scored),
            anchor=0.56,
            anchor_name="majority + medoid",
            bar=0.62,
            note=f"{len(scored)} entities of {FEWEST_ROWS} rows and more, the -org rows taken out.",
        ),
        Score(
            dataset="febrl3",
            metric="golden cells right, true clusters",
            ours=cells / (len(scored) * len(fields)),
        ),
    ]


def febrl_resolved() -> list[Score]:
    """The same with the clusters that the entity resolver finds: a record is right where some golden record is it."""
    rows = _rows(data("er-febrl", "dataset3.csv"))
    truth = {_entity(row): row for row in rows if row["rec_id"].endswith("-org")}
    said = [row for row in rows if not row["rec_id"].endswith("-org")]
    fields = [name for name in said[0] if name != "rec_id"]
    scored = [entity for entity, n in _counted(_entity(row) for row in said).items() if n >= FEWEST_ROWS]
    with scratch() as folder:
        golden = _golden([{name: row[name] for name in fields} for row in said], folder)
        found = {tuple(record[name] or "" for name in fields) for record in golden}
    right = sum(tuple(truth[entity][name] for name in fields) in found for entity in scored)
    note = "No keys given: the entity resolver finds the clusters."
    metric = "golden record exact, resolver's clusters"
    return [Score(dataset="febrl3", metric=metric, ours=right / len(scored), note=note)]


def flights() -> list[Score]:
    truth = {row["flight"]: row for row in _rows(data("err-flights", "clean.csv"))}
    times = [name for name in next(iter(truth.values())) if name.endswith("_time")]
    said = _rows(data("err-flights", "dirty.csv"))
    known = [{"entity": row["flight"], "src": row["src"]} | {name: row[name] for name in times} for row in said]
    golden = _built(known, match_key_columns=["entity"], source_column="src")
    right = sum(_cell(golden[flight], row, name) for flight, row in truth.items() for name in times)
    held = defaultdict(set)
    for row in said:
        for name in times:
            held[row["flight"], name].add(_plain(row[name]))
    reachable = sum(_plain(row[name]) in held[flight, name] for flight, row in truth.items() for name in times)
    cells = len(truth) * len(times)
    return [
        Score(
            dataset="flights",
            metric="golden cells right",
            ours=right / cells,
            anchor=0.76,
            anchor_name="majority",
            bar=0.90,
            note=f"One true value per flight and time column, compared as text but for outer and repeated spaces; some"
            f" source says it for {reachable / cells:.3f} of them. Keys and source column given, no labels.",
        )
    ]


def _built(rows: Sequence[Record], **parameters: Any) -> dict[str, Record]:
    """Golden records by entity."""
    with scratch() as folder:
        return {record["entity"]: record for record in _golden(rows, folder, **parameters)}


def _golden(rows: Sequence[Record], folder: Path, **parameters: Any) -> list[Record]:
    """Through both agents, as a task runs them."""
    import duckdb

    path = folder / "rows.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    table = read(path, folder)
    survivors = run(survivorship_resolver.AGENT, {PRIMARY: table}, folder, **parameters)
    built = _after(table, folder, survivors)
    assert built.table is not None
    with duckdb.connect() as db:
        found = db.execute(f"FROM '{built.table.path}' ORDER BY {SOURCE_ROW}")
        names = [name for name, *_ in found.description or ()]
        return [dict(zip(names, line, strict=True)) for line in found.fetchall()]


def _after(table: Table, folder: Path, earlier: Delivery) -> Delivery:
    own = folder / "golden"
    own.mkdir()
    agent = golden_record_builder.AGENT
    context = AgentContext({PRIMARY: table}, agent.parameters(), own, 240 * 2**20, original=table, earlier=(earlier,))
    return Delivery.of(agent.run(context))


def _rows(path: Path) -> list[Record]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, skipinitialspace=True))


def _entity(row: Record) -> str:
    found = re.match(r"rec-(\d+)-", row["rec_id"])
    assert found
    return found[1]


def _counted(entities: object) -> dict[str, int]:
    from collections import Counter

    return dict(sorted(Counter(entities).items()))  # type: ignore[call-overload]


def _same(record: Record | None, truth: Record, fields: Sequence[str]) -> bool:
    return record is not None and all(_cell(record, truth, name) for name in fields)


def _cell(record: Record, truth: Record, name: str) -> bool:
    return _plain(record[name]) == _plain(truth[name])


def _plain(text: str | None) -> str:
    return " ".join((text or "").split())


MEASURES = (
    Measure("febrl", febrl),
    Measure("febrl-resolved", febrl_resolved),
    Measure("flights", flights),
)
