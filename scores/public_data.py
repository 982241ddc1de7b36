"""Where the public data with ground truth lies (its README names origins and licences)."""

import os
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDER = Path(os.environ.get("SCORES_DATA", ROOT.parent / "shared" / "data"))


def data(*parts: str) -> Path:
    """Raises FileNotFoundError, saying what to do."""
    path = FOLDER.joinpath(*parts)
    if not path.exists():
        raise FileNotFoundError(f"{path} is not there; SCORES_DATA names the folder of the public data")
    return path
