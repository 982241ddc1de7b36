"""ydata-profiling on a table: `python -m bench.peers.ydata_tables minimal|whole FILE RESULT`. A page of HTML.

whole: as it is by default: statistics, correlations, interactions, missing values, alerts. minimal: without what it
advises to leave out of large tables (correlations, interactions, duplicates). Neither reads dates of two formats as
dates, looks for keys, dependencies or personal data, or names the rows in which something is wrong.
"""

import sys

import pandas as pd
from ydata_profiling import ProfileReport


def main(how: str, path: str, result: str) -> None:
    report = ProfileReport(pd.read_csv(path), minimal=how == "minimal", progress_bar=False)
    report.to_file(f"{result}.html", silent=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
