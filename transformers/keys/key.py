"""What a key is: columns that tell rows apart, and columns that point to such ones."""

from dataclasses import dataclass

from transformers.cells.columns import Column, LogicalType
from transformers.cells.semantic_types import SemanticType, names_a_key
from transformers.profiling.table_profile import Described, percent
from transformers.tables import quoted

MEASURED = (LogicalType.DECIMAL, LogicalType.TIME, LogicalType.BOOLEAN, LogicalType.EMPTY)
IDENTITIES = (SemanticType.UUID, SemanticType.EMAIL, SemanticType.IBAN, SemanticType.MAC_ADDRESS)


class PrimaryKey(Described):
    """In percent: `uniqueness` of the cells that are there, `missing` of the rows.

    `confidence`: how much speaks for it among its rivals.
    """

    columns: tuple[str, ...]
    distinct: int
    uniqueness: float
    missing: float
    confidence: float
    reasons: tuple[str, ...] = ()


class EntityKey(Described):
    """A column that names the thing a row is about; the thing may have several rows."""

    column: str
    distinct: int
    uniqueness: float
    missing: float


class ForeignKey(Described):
    """`overlap`: percent of the column's values that the referenced column has. `orphans`: rows without their match."""

    column: str
    table: str  # empty: the table itself
    references: str
    values: int
    overlap: float
    orphans: int
    confidence: float
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class KeyColumn:
    """A column with the count of its values. `value` is SQL that writes equal values alike, NULL where missing."""

    column: Column
    distinct: int
    position: int

    @property
    def name(self) -> str:
        return self.column.name

    @property
    def uniqueness(self) -> float:
        return percent(self.distinct, self.column.present)

    @property
    def missing(self) -> float:
        return percent(self.column.missing, self.column.rows)

    @property
    def is_measured(self) -> bool:
        """A measured number is different in every row by chance only."""
        return self.column.logical in MEASURED

    @property
    def is_named_so(self) -> bool:
        return names_a_key(self.name) or self.column.semantic in IDENTITIES

    @property
    def value(self) -> str:
        whole = self.column.logical is LogicalType.INTEGER
        cell = f"CAST({self.column.value} AS VARCHAR)" if whole else self.column.cell
        return f"CASE WHEN NOT {self.column.is_missing} THEN {cell} END"

    @property
    def cell(self) -> str:
        return quoted(self.name)
