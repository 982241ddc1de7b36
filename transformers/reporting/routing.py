"""Which tool to use next: at most two, each with its reason and ready to submit."""

from collections.abc import Collection, Sequence
from typing import Any

from pydantic import Field

from transformers.findings import AgentResult, Finding

CLEAN, MASTER = "clean-my-data", "master-my-data"
DIRT = ("missing", "disguised_missing", "type_mismatch", "duplicate_row", "outlier", "inconsistent_case", "whitespace")
MOST = 2


class RoutingDecision(Finding):
    """`agents` and `parameters` are what POST /tasks takes."""

    tool_id: str
    reason: str
    confidence: float
    agents: tuple[str, ...] = ()
    parameters: dict[str, dict[str, Any]] = Field(default_factory=dict)


def next_tools(tool_id: str, delivered: Sequence[AgentResult], known: Collection[str]) -> tuple[RoutingDecision, ...]:
    found = _counted(delivered)
    decisions = [_cleaning(found), _mastering(delivered, found)]
    wanted = [d for d in decisions if d is not None and d.tool_id in known and d.tool_id != tool_id]
    return tuple(sorted(wanted, key=lambda d: -d.confidence)[:MOST])


def _counted(delivered: Sequence[AgentResult]) -> dict[str, int]:
    """The same fault seen by two agents counts once: the larger count stands."""
    found: dict[str, int] = {}
    for result in delivered:
        for kind, n in result.issue_summary.by_type.items():
            found[kind] = max(found.get(kind, 0), n)
    return found


def _cleaning(found: dict[str, int]) -> RoutingDecision | None:
    dirt = {kind: found[kind] for kind in DIRT if found.get(kind)}
    if not dirt:
        return None
    agents = {
        "missing": "null-handler",
        "disguised_missing": "null-handler",
        "type_mismatch": "type-fixer",
        "duplicate_row": "duplicate-resolver",
        "outlier": "outlier-remover",
        "inconsistent_case": "field-standardization",
        "whitespace": "field-standardization",
    }
    chosen = tuple(dict.fromkeys([*(agents[kind] for kind in dirt), "cleanse-writeback"]))
    listed = ", ".join(f"{n:,} × {kind.replace('_', ' ')}" for kind, n in dirt.items())
    parameters: dict[str, dict[str, Any]] = {}
    if "duplicate-resolver" in chosen:
        parameters["duplicate-resolver"] = {"merge_strategy": "remove_duplicates"}
    return RoutingDecision(
        tool_id=CLEAN,
        reason=f"The data can be repaired: {listed}.",
        confidence=round(min(0.95, 0.6 + 0.1 * len(dirt)), 2),
        agents=chosen,
        parameters=parameters,
    )


def _mastering(delivered: Sequence[AgentResult], found: dict[str, int]) -> RoutingDecision | None:
    keys = [key for result in delivered for key in result.data.get("key_candidates", ())]
    if keys and not found.get("duplicate_row"):
        return None
    people = [result for result in delivered if result.summary_metrics.get("personal_fields")]
    if not people and not found.get("duplicate_row"):
        return None
    return RoutingDecision(
        tool_id=MASTER,
        reason="Records may describe the same person or thing more than once; one golden record each can be built.",
        confidence=0.6 if found.get("duplicate_row") else 0.4,
    )
