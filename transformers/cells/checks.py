"""The checks that several agents make of single cells, said in the same words."""

from collections.abc import Iterable

from transformers.cells.columns import Column
from transformers.findings import Severity
from transformers.row_findings import CellCheck


def broken(columns: Iterable[Column]) -> list[CellCheck]:
    """Cells that do not fit their column's type."""
    return [
        CellCheck(
            kind="type_mismatch",
            severity=Severity.MEDIUM,
            column=column.name,
            condition=column.is_invalid,
            cell=column.cell,
            count=column.invalid,
            message=f"Not {column.logical.value}, as the column's other values are.",
        )
        for column in columns
    ]


def disguised(columns: Iterable[Column]) -> list[CellCheck]:
    """Words that stand for nothing."""
    return [
        CellCheck(
            kind="disguised_missing",
            severity=Severity.LOW,
            column=column.name,
            condition=f"({column.cell} <> '' AND {column.is_missing})",
            cell=column.cell,
            count=column.disguised,
            message="A word that stands for nothing; counted as missing.",
        )
        for column in columns
    ]


def missing(columns: Iterable[Column]) -> list[CellCheck]:
    return [
        CellCheck(
            kind="missing",
            severity=Severity.LOW,
            column=column.name,
            condition=column.is_missing,
            cell=column.cell,
            count=column.missing,
            message="The cell is missing.",
        )
        for column in columns
    ]
