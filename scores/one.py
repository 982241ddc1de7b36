"""`python -m scores.one family measure`: one measure in this process; its scores and its peak as a line of JSON."""

import json
import os
import sys

from scores.families import measures_of


def main(family: str, measure_id: str) -> None:
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints is not our answer
    [measure] = [one for one in measures_of(family) if one.id == measure_id]
    scores = [score.model_dump(mode="json") for score in measure.run()]
    out.write(json.dumps({"scores": scores, "peak_mb": round(peak_kilobytes() / 1024)}) + "\n")
    out.flush()


def peak_kilobytes() -> int:
    """The most that this process, or one that it started, ever had in memory; 0 where the system does not say."""
    if sys.platform == "win32":
        return 0
    import resource

    return max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


if __name__ == "__main__":
    main(*sys.argv[1:])
