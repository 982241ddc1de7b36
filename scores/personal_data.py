"""Personal data: which columns hold it, on public and on invented tables, and how fast it is found.

A column is personal where a cell tells something of one natural person (GDPR Art. 4(1)): names and their parts, ways to
reach somebody, numbers given to a person or to what a person carries, accounts and secrets, the place where somebody
lives down to town and postcode, and what describes a person one by one (birth, age, sex). Not by themselves: what is
as coarse as a state or country (no identifier under HIPAA either), organisations and their web domains, occupations,
a file's own row numbers, and data about a generator.
"""

import csv
import gzip
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from time import process_time

import pyarrow as pa
import pyarrow.parquet as pq

from scores.measure import Measure, Score
from scores.people_made_up import MadeTable, made_tables
from scores.public_data import data
from scores.workshop import read, run, scratch
from transformers.agents.score_risk import AGENT
from transformers.tables import SOURCE_ROW, Table
from transformers.tool import PRIMARY

SEED = 2026  # developed on other seeds
FAKENAMES = frozenset(
    [
        "Gender",
        "Title",
        "GivenName",
        "MiddleInitial",
        "Surname",
        "StreetAddress",
        "City",
        "ZipCode",
        "EmailAddress",
        "Username",
        "Password",
        "TelephoneNumber",
        "MothersMaiden",
        "Birthday",
        "Age",
        "CCType",
        "CCNumber",
        "CVV2",
        "CCExpires",
        "NationalID",
    ]
)  # decided before anything was tuned; not: Number NameSet State StateFull Country CountryFull TelephoneCountryCode
#    Occupation Company Domain
TOLD_BY_VALUES = FAKENAMES & frozenset(
    [
        "Gender",
        "Title",
        "GivenName",
        "Surname",
        "StreetAddress",
        "EmailAddress",
        "TelephoneNumber",
        "MothersMaiden",
        "Birthday",
    ]
)  # what the values alone can tell; a town, an age, a word chosen as password look like many things
PUBLIC: dict[str, tuple[tuple[str, ...], str]] = {  # what of each public table is personal
    "febrl": (
        ("er-febrl", "dataset1.csv"),
        "given_name surname street_number address_1 address_2 suburb postcode date_of_birth soc_sec_id",
    ),
    "fake 1000": (("er-splink-fake1000", "fake_1000.csv"), "first_name surname dob city email"),
    "dblp": (("er-dblp-acm", "dblpclean.csv"), "authors"),
    "beers": (("err-beers", "clean.csv"), ""),
    "flights": (("err-flights", "clean.csv"), ""),
    "taxi": (("drift-nyc-taxi", "yellow_tripdata_sample_2018-01.csv.gz"), ""),
    "accident2016": (("type-ptype", "accident2016.csv.gz"), "Sex of Casualty|Age of Casualty"),
    "survey": (
        ("type-ptype", "survey.csv.gz"),
        "Age|Gender|family_history|treatment|mental_health_consequence|mental_health_interview",  # of illness
    ),
    **{
        name: (("type-ptype", f"{name}.csv.gz"), "")
        for name in ("auto", "autos", "eucalyptus", "grub-damage", "mass_6", "usp05", "housing_price")
    },
}  # fmt: skip


def fakenames() -> Iterator[Score]:
    path = data("pii-fakenames3000", "FakeNameGenerator.com_3000.csv")
    with scratch() as folder:
        table = read(path, folder)
        began = process_time()
        found = _found(table, folder)
        seconds = process_time() - began
    bars = {"bar": 0.95, "anchor_name": "patterns alone: 4-5 of 17 identity columns"}
    yield from _both("pii-fakenames3000", [(found, FAKENAMES)], note="20 of its 30 columns are personal.", **bars)
    yield Score(
        dataset="pii-fakenames3000",
        metric="values a second of one core",
        ours=table.rows * len(table.columns) / seconds,
        bar=50_000,
        note="The whole agent, types included, in seconds of processor time.",
    )


def anonymous_fakenames() -> Iterator[Score]:
    path = data("pii-fakenames3000", "FakeNameGenerator.com_3000.csv")
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    numbered = {name: f"c{i}" for i, name in enumerate(rows[0], 1)}
    columns = {numbered[name]: [row[name] for row in rows] for name in rows[0]}
    hard = {numbered[name] for name in FAKENAMES - TOLD_BY_VALUES}
    with scratch() as folder:
        found = _found(_written(columns, folder), folder) - hard
    yield from _both(
        "pii-fakenames3000, headers c1-c30",
        [(found, {numbered[name] for name in TOLD_BY_VALUES})],
        note=f"The {len(hard)} personal columns that no value tells (ages, passwords …) count neither way.",
    )


def made_up() -> Iterator[Score]:
    tables = made_tables(SEED)
    with scratch() as folder:
        results = [(_found(_written(table.columns, folder), folder), table.personal) for table in tables]
    for kind in ("anonymous", "misleading headers", "headers of several languages"):
        some = [result for result, table in zip(results, tables, strict=True) if table.name.startswith(kind)]
        yield from _both(f"made up: {kind}", some, seed=SEED, note=_wrong(results, tables, kind))
    yield from _both("made up: all, things too", results, seed=SEED, bar=0.95, note=_wrong(results, tables, "things"))


def public_tables() -> Iterator[Score]:
    results, wrong = [], []
    for name, (parts, listed) in PUBLIC.items():
        personal = set(listed.split("|")) if "|" in listed else set(listed.split())
        with scratch() as folder:
            found = _found(read(_plain(data(*parts), folder), folder), folder)
        results.append((found, personal))
        wrong += [f"{name}.{column}" for column in sorted(found ^ personal)]
    note = f"{len(PUBLIC)} tables with their own headers. Wrong: {', '.join(wrong) or 'none'}."
    yield from _both("public tables of people and of things", results, note=note)


def _found(table: Table, folder: Path) -> set[str]:
    fields = run(AGENT, {PRIMARY: table}, folder).result.data["fields"]
    return {field["name"].strip() for field in fields if field["risk_score"]}


def _both(
    dataset: str, results: Sequence[tuple[set[str], frozenset[str] | set[str]]], *, note: str = "", **told: object
) -> Iterator[Score]:
    right = sum(len(found & personal) for found, personal in results)
    for metric, of in (
        ("precision of columns", sum(len(found) for found, _ in results)),
        ("recall of columns", sum(len(personal) for _, personal in results)),
    ):
        yield Score.model_validate(
            {"dataset": dataset, "metric": metric, "ours": right / of if of else 1.0, "note": note} | told
        )


def _wrong(results: Sequence[tuple[set[str], frozenset[str]]], tables: Sequence[MadeTable], kind: str) -> str:
    wrong = [
        f"{column} of {table.name}"
        for (found, personal), table in zip(results, tables, strict=True)
        if table.name.startswith(kind)
        for column in sorted(found ^ personal)
    ]
    return f"Wrong: {', '.join(wrong)}." if wrong else ""


def _written(columns: Mapping[str, Sequence[str]], folder: Path) -> Table:
    """As intake leaves a CSV, with cells as they are."""
    path = folder / f"{len(list(folder.iterdir()))}.parquet"
    table = pa.table({name: pa.array(list(values), pa.string()) for name, values in columns.items()})
    pq.write_table(table.append_column(SOURCE_ROW, pa.array(range(1, table.num_rows + 1), pa.int64())), path)
    return Table(
        role=PRIMARY,
        name="made.csv",
        path=path,
        format="csv",
        rows=table.num_rows,
        columns=tuple(columns),
        size_bytes=path.stat().st_size,
    )


def _plain(path: Path, folder: Path) -> Path:
    if path.suffix != ".gz":
        return path
    plain = folder / path.stem
    plain.write_bytes(gzip.decompress(path.read_bytes()))
    return plain


MEASURES = (
    Measure("fakenames", fakenames),
    Measure("anonymous_fakenames", anonymous_fakenames),
    Measure("people_made_up", made_up),
    Measure("public_tables", public_tables),
)
