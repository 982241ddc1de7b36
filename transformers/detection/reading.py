"""`cells_read`: the table as the rules compare it, each cell in its column's own form."""

from collections.abc import Mapping, Sequence

from transformers.cells.kinds import literal
from transformers.detection.workbench import READ, Workbench
from transformers.tables import SOURCE_ROW

FEW_FORMS = 50  # texts of a column that are told one by one; more are joined
MOST_JOINS = 12  # in one query, for the memory that each takes: the columns beyond are compared as they are written
MOST_CELLS_HELD = 4_000_000  # more are written to disk: a table in memory is not compressed
ROWS_WRITTEN = 20_480  # at a time: ten vectors; a writer's row group lies in memory, one a thread


def read_cells(bench: Workbench) -> None:
    """Fill `cells_read`, once it is known which columns have a form of their own."""
    forms = _forms(bench)
    joined = [place for place, known in forms.items() if len(known) > FEW_FORMS][:MOST_JOINS]
    query = _query(bench, forms, joined)
    for place in joined:
        _register(bench, place, forms[place])
    if not forms and bench.table.rows * len(bench.columns) > MOST_CELLS_HELD:
        bench.db.execute(f"CREATE OR REPLACE TEMP VIEW {READ} AS {query}")  # as they are written, or nearly
    elif bench.table.rows * len(bench.columns) <= MOST_CELLS_HELD:
        bench.db.execute(f"CREATE OR REPLACE TEMP TABLE {READ}_kept AS {query}")
        bench.db.execute(f"CREATE OR REPLACE TEMP VIEW {READ} AS SELECT * FROM {READ}_kept")
    else:
        bench.db.execute(f"CREATE OR REPLACE TEMP VIEW {READ} AS SELECT * FROM read_parquet({_on_disk(bench, query)})")
    for place in joined:
        bench.db.unregister(f"__forms{place}__")


def _forms(bench: Workbench) -> dict[int, dict[str, str]]:
    changed = {
        place: {text: form for text, form in known.items() if text != form}
        for place, known in sorted(bench.rewritten.items())
    }
    return {place: known for place, known in changed.items() if known}


def _query(bench: Workbench, forms: Mapping[int, Mapping[str, str]], joined: Sequence[int]) -> str:
    """The customer's names are left behind in an inner query: none of them is taken for one of ours."""
    present = ", ".join([SOURCE_ROW, *(f"{bench.present(place)} AS c{place}" for place in range(len(bench.columns)))])
    cells = [SOURCE_ROW]
    for place in range(len(bench.columns)):
        if place in joined:
            cells.append(f"coalesce(form{place}, c{place}) AS c{place}")
        elif place in forms and len(forms[place]) <= FEW_FORMS:
            whens = " ".join(f"WHEN {literal(text)} THEN {literal(form)}" for text, form in forms[place].items())
            cells.append(f"CASE c{place} {whens} ELSE c{place} END AS c{place}")
        else:
            cells.append(f"c{place}")
    joins = "".join(f" LEFT JOIN __forms{place}__ ON text{place} = c{place}" for place in joined)
    return f"SELECT {', '.join(cells)} FROM (SELECT {present} FROM {bench.relation}) texts{joins}"


def _register(bench: Workbench, place: int, forms: Mapping[str, str]) -> None:
    import pyarrow as pa

    text, form = (pa.array(said, pa.string()) for said in (forms.keys(), forms.values()))
    bench.db.register(f"__forms{place}__", pa.table({f"text{place}": text, f"form{place}": form}))


def _on_disk(bench: Workbench, query: str) -> str:
    """Where the database spills to; with the task's scratch folder it goes."""
    from pathlib import Path

    [[folder]] = bench.db.execute("SELECT current_setting('temp_directory')").fetchall()
    Path(folder).mkdir(parents=True, exist_ok=True)
    path = literal(str(Path(folder) / f"{READ}.parquet"))
    bench.db.execute(f"COPY ({query}) TO {path} (FORMAT parquet, ROW_GROUP_SIZE {ROWS_WRITTEN})")
    return path
