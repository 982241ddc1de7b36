"""docs/scores.json: every figure, for machines."""

import json
from collections.abc import Mapping, Sequence

from scores.measure import Measured, Score
from scores.public_data import ROOT

FILE = ROOT / "docs" / "scores.json"


def known(family: str) -> list[Measured]:
    """What the file says of a family."""
    rows = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else []
    return [
        Measured(
            measure=row["measure"], score=Score.model_validate(row), seconds=row["seconds"], peak_mb=row["peak_mb"]
        )
        for row in rows
        if row["family"] == family
    ]


def write(found: Mapping[str, Sequence[Measured]]) -> None:
    rows = [_row(family, one) for family, measured in found.items() for one in measured]
    FILE.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _row(family: str, one: Measured) -> dict[str, object]:
    rounded = one.score.model_copy(update={"ours": float(f"{one.score.ours:.4g}")})
    said = rounded.model_dump(mode="json")
    return {"family": family, "measure": one.measure, **said, "seconds": one.seconds, "peak_mb": one.peak_mb}
