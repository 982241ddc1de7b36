"""`cells_read`: the table as the rules compare it, each cell in its column's own form."""

from transformers.cells.kinds import literal
from transformers.detection.workbench import READ, Workbench
from transformers.tables import SOURCE_ROW

MOST_CELLS_HELD = 4_000_000  # more are written to disk: a table in memory is not compressed
ROWS_WRITTEN = 20_480  # at a time: ten vectors; a writer's row group lies in memory, one a thread


def read_cells(bench: Workbench) -> None:
    """Fill `cells_read`, once it is known which columns have a form of their own."""
    import pyarrow as pa

    cells, joins = [], []
    for place in range(len(bench.columns)):
        forms = {text: form for text, form in bench.rewritten.get(place, {}).items() if text != form}
        if not forms:
            cells.append(f"{bench.present(place)} AS c{place}")
            continue
        text, form = (pa.array(said, pa.string()) for said in (forms.keys(), forms.values()))
        bench.db.register(f"__forms{place}__", pa.table({f"__text{place}__": text, f"__form{place}__": form}))
        joins.append(f"LEFT JOIN __forms{place}__ ON __text{place}__ = {bench.present(place)}")
        cells.append(f"coalesce(__form{place}__, {bench.present(place)}) AS c{place}")
    listed = "".join(f", {cell}" for cell in cells)
    query = f"SELECT {SOURCE_ROW}{listed} FROM {bench.relation} {' '.join(joins)}"
    if bench.table.rows * len(bench.columns) <= MOST_CELLS_HELD:
        bench.db.execute(f"CREATE OR REPLACE TEMP TABLE {READ}_kept AS {query}")
        bench.db.execute(f"CREATE OR REPLACE TEMP VIEW {READ} AS SELECT * FROM {READ}_kept")
    else:
        bench.db.execute(f"CREATE OR REPLACE TEMP VIEW {READ} AS SELECT * FROM read_parquet({_on_disk(bench, query)})")
    for place, known in bench.rewritten.items():
        if any(text != form for text, form in known.items()):
            bench.db.unregister(f"__forms{place}__")


def _on_disk(bench: Workbench, query: str) -> str:
    """Where the database spills to; with the task's scratch folder it goes."""
    from pathlib import Path

    [[folder]] = bench.db.execute("SELECT current_setting('temp_directory')").fetchall()
    Path(folder).mkdir(parents=True, exist_ok=True)
    path = literal(str(Path(folder) / f"{READ}.parquet"))
    bench.db.execute(f"COPY ({query}) TO {path} (FORMAT parquet, ROW_GROUP_SIZE {ROWS_WRITTEN})")
    return path
