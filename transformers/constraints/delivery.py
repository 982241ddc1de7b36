"""The constraint files that an agent leaves."""

from collections.abc import Sequence
from pathlib import Path

from transformers.constraints.constraint import Constraint
from transformers.constraints.great_expectations_suite import great_expectations_json
from transformers.constraints.pandera_schema import pandera_yaml
from transformers.profiling.table_profile import TableProfile
from transformers.tool import AgentFile


def constraint_files(
    profile: TableProfile, constraints: Sequence[Constraint], name: str, folder: Path
) -> tuple[AgentFile, ...]:
    """Written to `folder`; `name` is the table's."""
    pandera, suite = folder / "constraints.pandera.yaml", folder / "constraints.great_expectations.json"
    pandera.write_text(pandera_yaml(profile, constraints), encoding="utf-8", newline="\n")
    suite.write_text(great_expectations_json(profile, constraints, name), encoding="utf-8", newline="\n")
    return tuple(
        AgentFile(name=path.name, path=path, content_type=kind, kind="constraints")
        for path, kind in ((pandera, "application/yaml"), (suite, "application/json"))
    )
