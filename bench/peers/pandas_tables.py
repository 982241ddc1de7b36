"""pandas on a table: `python -m bench.peers.pandas_tables describe|clean|drop_duplicates FILE RESULT`.

describe: read, `describe(include="all")`, missing and different values, duplicate rows. No types that text hides, no
dates in several formats, no keys, dependencies, personal data, issues row by row, and no page to read.
clean: the script that one writes by hand for this very table: blanks, words for nothing, numbers, dates in two formats,
the case of e-mail addresses, exact duplicates, medians for missing amounts, outliers clipped, written as CSV. It knows
the columns beforehand; it finds nothing by itself, keeps no log of changes, sets nothing aside, cannot be undone.
drop_duplicates: who has the same name, date of birth and postcode is one person: nobody written otherwise is found.
"""

import json
import sys
from pathlib import Path

import pandas as pd

WHO = ["first_name", "last_name", "birth_date", "postcode"]


def describe(path: str, result: str) -> None:
    table = pd.read_csv(path)
    facts = {
        "described": table.describe(include="all").astype(str).to_dict(),
        "missing": table.isna().sum().to_dict(),
        "different": table.nunique().to_dict(),
        "duplicates": int(table.duplicated().sum()),
        "common": {name: table[name].value_counts().head(10).astype(str).to_dict() for name in table.columns},
        "correlated": table.select_dtypes("number").corr().astype(str).to_dict(),
    }
    Path(result).write_text(json.dumps(facts, default=str), encoding="utf-8")


def clean(path: str, result: str) -> None:
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    for name in table.columns:
        table[name] = table[name].str.strip()
    table = table.replace(["", "n/a", "N/A", "NULL", "null", "-", "unknown"], pd.NA)
    table["email"] = table["email"].str.lower()
    for name in ("birth_date", "joined_on"):
        iso = pd.to_datetime(table[name], format="%Y-%m-%d", errors="coerce")
        table[name] = iso.fillna(pd.to_datetime(table[name], format="%d.%m.%Y", errors="coerce"))
    table["balance"] = pd.to_numeric(table["balance"], errors="coerce")
    table = table.drop_duplicates()
    table["balance"] = table["balance"].fillna(table["balance"].median())
    low, high = table["balance"].quantile([0.25, 0.75])
    reach = 1.5 * (high - low)
    table["balance"] = table["balance"].clip(low - reach, high + reach)
    table.to_csv(result, index=False)


def drop_duplicates(path: str, result: str) -> None:
    table = pd.read_csv(path, dtype=str)
    cluster = table.groupby(WHO, dropna=False, sort=False).ngroup()
    found = pd.DataFrame({"source_row": range(1, len(table) + 1), "cluster": cluster})
    table.drop_duplicates(WHO).to_csv(f"{result}.csv", index=False)
    found.to_parquet(result)


if __name__ == "__main__":
    {"describe": describe, "clean": clean, "drop_duplicates": drop_duplicates}[sys.argv[1]](*sys.argv[2:])
