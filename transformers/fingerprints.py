"""What a step would do, as a digest: a checkpoint is only built upon while it says the same (DESIGN §5.6)."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from transformers.forms import form_of
from transformers.tool import Step
from transformers.workbench import Workbench


def fingerprint_of(step: Step, bench: Workbench, upstream: str) -> str:
    """Of an agent, its version and parameters, on what came before. SHA-256 in hex."""
    return _digest([step.id, step.agent.version, _form(bench, step), upstream])


def fingerprint_after(step: Step, bench: Workbench, fingerprints: Mapping[str, str]) -> str:
    """Of a step that reads the results of those it comes after."""
    before = [[name, fingerprints[name]] for name in sorted(step.after)]
    return fingerprint_of(step, bench, _digest([fingerprint_of_inputs(bench), before]))


def fingerprint_of_inputs(bench: Workbench) -> str:
    """What comes before the first step. In a chain each agent knows what the others are asked to do."""
    files = [[role, [[f["key"], f.get("etag")] for f in some]] for role, some in bench.claim.inputs.items()]
    if not bench.tool.chained:
        return _digest(files)
    return _digest([files, [[step.id, _form(bench, step)] for step in bench.steps]])


def _form(bench: Workbench, step: Step) -> dict[str, Any]:
    return form_of(step, bench.forms).model_dump(mode="json")


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
