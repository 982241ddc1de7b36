import itertools
from pathlib import Path

import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from random_chains import CHAINS, run_chain, same_tables, tables
from workshop import Workshop

from transformers.cleaning.manifest import stages_done
from transformers.cleaning.undo import rebuild_original

several = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
numbers = itertools.count()


def fresh(workshop: Workshop) -> Workshop:
    folder = workshop.folder / f"example-{next(numbers)}"
    folder.mkdir()
    return Workshop(folder)


@several
@given(data=tables(), chain=CHAINS)
def test_whatever_a_chain_did_the_table_comes_back_cell_for_cell(
    workshop: Workshop, data: pa.Table, chain: list[tuple[tuple[str, int], ...]]
) -> None:
    workshop = fresh(workshop)
    table = workshop.table(data)
    final, delivered = run_chain(workshop.folder, table, chain)
    stages = stages_done(delivered)
    with workshop.database(table) as db:
        back = rebuild_original(db, final, stages, workshop.folder / "back.parquet")
        assert same_tables(db, table, back)
        aside = [
            int(db.execute(f"SELECT count(*) FROM '{s.set_aside}'").fetchall()[0][0]) for s in stages if s.set_aside
        ]
    assert final.rows + sum(aside) == table.rows
    assert [stage.manifest.rows_set_aside for stage in stages if stage.set_aside] == aside


def test_a_table_of_many_row_groups_comes_back_too(workshop: Workshop, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    table = workshop.table({"a": [f" {i} " for i in range(1000)], "b": [None if i % 7 else "x" for i in range(1000)]})
    small = table.model_copy(update={"path": tmp_path / "small.parquet"})
    pq.write_table(pq.read_table(table.path), small.path, row_group_size=90)
    final, delivered = run_chain(workshop.folder, small, [(("trim", 0), ("by_number", 2)), (("by_condition", 1),)])
    with workshop.database(small) as db:
        back = rebuild_original(db, final, stages_done(delivered), tmp_path / "back.parquet")
        assert same_tables(db, table, back)
    assert final.rows < 1000
