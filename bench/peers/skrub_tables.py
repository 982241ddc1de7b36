"""skrub's TableReport on a table: `python -m bench.peers.skrub_tables FILE RESULT`. A page of HTML.

Types, missing and different values, distributions, common values, and associations of columns, as it is by default. It
works on a sample for its plots and associations, and finds no keys, no personal data, and no row with an error.
"""

import sys

import pandas as pd
from skrub import TableReport


def main(path: str, result: str) -> None:
    TableReport(pd.read_csv(path), verbose=0).write_html(f"{result}.html")


if __name__ == "__main__":
    main(*sys.argv[1:])
