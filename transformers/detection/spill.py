"""A value that ran into the column before it: "Bend OR" beside an empty state, where OR is a state elsewhere."""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from itertools import groupby, permutations

from transformers.detection.workbench import READ, Workbench
from transformers.tables import SOURCE_ROW

MOST_VALUES = 2000  # of the column whose value ran over
LONGEST = 40  # characters of such a value
MIN_CELLS = 3
MOST_CELLS = 0.5  # of the column: what most cells do is the convention
MIN_SHARE = 0.8  # of the cells that end so, the other column is empty or says the same
MAX_PAIRS = 400
SEPARATORS = (" ", ", ", ",", " - ", "/")
Split = tuple[str, str]  # the rest of a text, and its end


def look(bench: Workbench) -> None:
    for place, other, ends in _candidates(bench):
        _judge(bench, place, other, ends)


def _candidates(bench: Workbench) -> Iterator[tuple[int, int, dict[str, Split]]]:
    """Pairs of columns, and the texts of the first that end in a value of the second: (rest, value)."""
    domains = {p: _domain(values) for p, values in bench.values.items() if 1 < len(values) <= MOST_VALUES}
    pairs = list(permutations(sorted(bench.values), 2))[:MAX_PAIRS]
    for place, others in groupby(pairs, key=lambda pair: pair[0]):
        splits = {text: found for text in bench.values[place] if (found := _splits(text))}
        lasts = {last for found in splits.values() for _, last in found}
        for _, other in others:
            ends = _ends(splits, lasts & domains.get(other, set()))
            cells = sum(bench.values[place][text] for text in ends)
            if MIN_CELLS <= cells <= MOST_CELLS * max(1, sum(bench.values[place].values())):
                yield place, other, ends


def _domain(values: Mapping[str, int]) -> set[str]:
    return {v for v, n in values.items() if n > 1 and len(v) <= LONGEST and not v.isdigit()}


def _splits(text: str) -> list[Split]:
    """At each separator that it has; once a text, whatever the columns are that its end is looked for in."""
    halves = (text.rpartition(separator) for separator in SEPARATORS if separator in text)
    return [(kept, last) for rest, _, last in halves if (kept := rest.strip(" ,-/"))]


def _ends(splits: Mapping[str, list[Split]], domain: AbstractSet[str]) -> dict[str, Split]:
    if not domain:
        return {}
    found = ((text, next((one for one in some if one[1] in domain), None)) for text, some in splits.items())
    return {text: one for text, one in found if one is not None}


def _judge(bench: Workbench, place: int, other: int, ends: dict[str, Split]) -> None:
    """It counts where the other cell is empty (or says the same), and more rarely so elsewhere."""
    import pyarrow as pa

    texts = list(ends)
    said = {"__text__": texts, "__rest__": [ends[t][0] for t in texts], "__end__": [ends[t][1] for t in texts]}
    bench.db.register("__ends__", pa.table({k: pa.array(v, pa.string()) for k, v in said.items()}))
    query = f"FROM {READ} JOIN __ends__ ON c{place} = __text__"
    [(cells, empty, same, all_empty, rows)] = bench.db.execute(
        f"SELECT count(*), count(*) FILTER (c{other} IS NULL), count(*) FILTER (c{other} = __end__),"
        f" (SELECT count(*) - count(c{other}) FROM {READ}), (SELECT count(*) FROM {READ}) {query}"
    ).fetchall()
    share = (empty + same) / cells if cells else 0.0
    if share >= MIN_SHARE and empty >= MIN_CELLS and empty / cells > 2 * all_empty / rows:
        for column, value in ((place, "__rest__"), (other, "__end__")):
            bench.add(
                f"SELECT {SOURCE_ROW}, {column}, 'spill', 'value_in_neighbour', {share}, {value}, {share} {query}"
                f" WHERE c{other} IS NULL"
            )
    bench.db.unregister("__ends__")
