import os
import subprocess
import sys
from pathlib import Path

CODE = """
import sys
from pathlib import Path
from transformers.tables import database_over
with database_over({}, Path(sys.argv[1]), 2**27) as db:
    print(db.execute("SELECT CAST(TIMESTAMPTZ '2024-01-01 23:00:00+00' AS VARCHAR)").fetchall()[0][0])
"""


def test_a_workers_own_time_zone_is_no_part_of_the_data(tmp_path: Path) -> None:
    told = set()
    for zone in ("UTC", "Asia/Tokyo"):
        command = [sys.executable, "-c", CODE, str(tmp_path)]
        told.add(
            subprocess.run(command, env={**os.environ, "TZ": zone}, capture_output=True, text=True, check=True).stdout
        )
    assert told == {"2024-01-01 23:00:00+00\n"}
