"""`python -m scores [family …]`: measure, and write docs/scores.json and docs/SCORES.md.

Named families are measured anew; what the files say of the others stays.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence

from pydantic import TypeAdapter

from backend.clock import monotonic
from scores.families import FAMILIES, measures_of
from scores.measure import Measured, Score
from scores.page import machine, page
from scores.public_data import ROOT
from scores.record import known, write

SCORES = TypeAdapter(list[Score])


def main(wanted: Sequence[str]) -> int:
    unknown = set(wanted) - set(FAMILIES)
    if unknown:
        print(f"No such family: {', '.join(sorted(unknown))}. There are: {', '.join(FAMILIES)}.", file=sys.stderr)
        return 2
    found = {family: known(family) for family in FAMILIES}
    failed = False
    for family in wanted or FAMILIES:
        print(f"{family}", flush=True)
        found[family] = []
        for measure in measures_of(family):
            try:
                found[family] += _measured(family, measure.id)
            except subprocess.CalledProcessError as error:
                failed = True
                print(f"  {measure.id} ended with {error.returncode}", file=sys.stderr)
    write(found)
    (ROOT / "docs" / "SCORES.md").write_text(page(found, machine()), encoding="utf-8")
    return int(failed)


def _measured(family: str, measure_id: str) -> Iterator[Measured]:
    began = monotonic()
    ran = subprocess.run(
        [sys.executable, "-m", "scores.one", family, measure_id], check=True, stdout=subprocess.PIPE, cwd=ROOT
    )
    seconds = monotonic() - began
    answer = json.loads(ran.stdout.splitlines()[-1])
    for score in SCORES.validate_python(answer["scores"]):
        print(f"  {score.dataset:28} {score.metric:34} {score.ours:10.4g}  bar {score.bar}", flush=True)
        yield Measured(measure=measure_id, score=score, seconds=round(seconds, 1), peak_mb=answer["peak_mb"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
