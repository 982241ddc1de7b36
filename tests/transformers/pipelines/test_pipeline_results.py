from typing import Any

from transformers.findings import AgentResult
from transformers.pipelines.results import pipeline_results
from transformers.reporting.report import StepOutcome


def delivered(name: str, **data: Any) -> StepOutcome:
    told = {"output": "x", "time": 0.5, "model": "openai:a", "status": "ok", "fallback": False, "usage": {}, **data}
    return StepOutcome(agent_id=name, agent_name=name, result=AgentResult(agent_id=name, agent_name=name, data=told))


def not_delivered(name: str, code: str) -> StepOutcome:
    return StepOutcome(agent_id=name, agent_name=name, error_code=code, message="Why.")


def test_each_step_is_told_with_its_answer_or_why_there_is_none() -> None:
    found = pipeline_results(
        [
            delivered("a", output={"x": 1}, fallback=True),
            not_delivered("b", "MODEL_REFUSED"),
            not_delivered("c", "DEPENDENCY_FAILED"),
        ],
        1250,
    ).model_dump(mode="json")
    nothing = {"output": None, "time": 0.0, "model": None, "fallback": False}
    assert found == {
        "results": {
            "a": {
                "status": "ok",
                "output": {"x": 1},
                "time": 0.5,
                "model": "openai:a",
                "fallback": True,
                "error": None,
            },
            "b": {"status": "failed", **nothing, "error": {"code": "MODEL_REFUSED", "message": "Why."}},
            "c": {"status": "skipped", **nothing, "error": {"code": "DEPENDENCY_FAILED", "message": "Why."}},
        },
        "total_time": 1.25,
        "success_count": 1,
        "total_count": 3,
        "success_rate": 0.3333,
    }
