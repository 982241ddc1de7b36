"""What a customer may ask of null-handler, column by column."""

from typing import Literal

from pydantic import Field

from backend.errors import BadParameters
from transformers.cleaning.rules import Work
from transformers.naming_columns import known
from transformers.tool import AgentParameters

Strategy = Literal[
    "mean", "median", "mode", "forward_fill", "backward_fill", "constant", "knn_imputation", "drop_column", "drop_rows"
]


class NullHandlerParameters(AgentParameters):
    global_strategy: Literal["drop_rows", "column_specific"] = Field(
        default="column_specific", description="Set every row with a missing cell aside, or go by column_strategies."
    )
    column_strategies: dict[str, Strategy] = Field(
        default={}, description="By column: what to do where it is missing. Columns not named are left as they are."
    )
    fill_values: dict[str, str | int | float | bool] = Field(
        default={}, description="By column: the value of the strategy constant."
    )
    knn_neighbors: int = Field(default=5, ge=1, le=100, description="Most alike rows that knn_imputation asks.")
    detect_disguised_nulls: bool = Field(
        default=True,
        description="Empty cells that stand for nothing: N/A, -, 9999 or 1900-01-01 where nothing is near.",
    )


def strategies_of(work: Work, form: NullHandlerParameters) -> dict[str, Strategy]:
    """In the table's order."""
    known("fill_values", form.fill_values, work.table.columns)
    names = known("column_strategies", form.column_strategies, work.table.columns)
    for name in names:
        if form.column_strategies[name] == "constant" and name not in form.fill_values:
            raise BadParameters(
                f"fill_values: the strategy constant of {name!r} needs a value there.", field="fill_values"
            )
    strategies = {name: form.column_strategies[name] for name in names}
    if names == list(work.table.columns) and set(strategies.values()) == {"drop_column"}:
        raise BadParameters(
            "column_strategies: every column of the table would be dropped; keep at least one.",
            field="column_strategies",
        )
    return strategies
