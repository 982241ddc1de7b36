"""Fields that belong together (the parts of an address, of a name): given, or told by the data.

Columns of which one tells the other from entity to entity (a postcode its city) must not be mixed from two rows. The
dependencies are looked for over one row of each cluster, or every column would seem to tell every other.
"""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from transformers.cells.columns import Column
from transformers.dependencies.discovery import functional_dependencies
from transformers.tables import SOURCE_ROW, Table, quoted

if TYPE_CHECKING:
    import duckdb

LARGEST_GROUP = 6  # more columns than an address has parts are no group but a chain of accidents
ENTITIES = "one_row_an_entity"


def found_groups(
    db: "duckdb.DuckDBPyConnection", table: Table, columns: Sequence[Column], apart: Collection[int]
) -> list[tuple[int, ...]]:
    """Places of columns, disjoint groups of two to six. `apart` are keys, sources and time stamps."""
    row = quoted(SOURCE_ROW)
    first = "SELECT min(source_row) FROM clusters GROUP BY cluster"
    db.execute(f"CREATE OR REPLACE TEMP VIEW {ENTITIES} AS SELECT * FROM {quoted(table.role)} WHERE {row} IN ({first})")
    asked = [column for i, column in enumerate(columns) if i not in apart]
    place = {column.name: i for i, column in enumerate(columns)}
    linked = [
        (place[found.lhs[0]], place[found.rhs])
        for found in functional_dependencies(db, ENTITIES, asked, max_pairs=0)
        if len(found.lhs) == 1
    ]
    return [group for group in _components(linked) if len(group) <= LARGEST_GROUP]


def _components(linked: Sequence[tuple[int, int]]) -> list[tuple[int, ...]]:
    groups: list[set[int]] = []
    for pair in linked:
        touched = [group for group in groups if group & set(pair)]
        groups = [group for group in groups if group not in touched]
        groups.append(set(pair).union(*touched))
    return sorted(tuple(sorted(group)) for group in groups)
