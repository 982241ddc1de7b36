"""What the mastering agents leave for one another: kinds of files, and how they are named."""

from pathlib import Path

from transformers.tool import AgentFile, Delivery

CLUSTERS_FILE = "clusters"  # Parquet: source_row, cluster, probability
PAIRS_FILE = "uncertain_pairs"  # Parquet: row_a, row_b, probability
DECISIONS = "survivorship"  # Parquet, as survivors.py says
CROSS_REFERENCE = "cross_reference"  # source_row, golden_id, probability
LINEAGE = "lineage"  # golden_id, column, value, source_row, rule, confidence
STEWARDSHIP = "stewardship"
CHANGE_LOG = "change_log"  # source_row, column, old, new, rule, confidence
SET_ASIDE = "set_aside"  # rows as they were
PARQUET = "application/vnd.apache.parquet"


def parquet(path: Path, kind: str, agent_id: str, *, is_output: bool = False) -> AgentFile:
    name = f"{kind}-{agent_id}.parquet"
    return AgentFile(name=name, path=path, content_type=PARQUET, kind=kind, is_output=is_output)


def latest(earlier: tuple[Delivery, ...], kind: str) -> Path | None:
    """The file of this kind that was left last."""
    return next((path for delivery in reversed(earlier) if (path := delivery.file(kind)) is not None), None)


def left_by(earlier: tuple[Delivery, ...], agent_id: str) -> Delivery | None:
    return next((delivery for delivery in earlier if delivery.agent_id == agent_id), None)
