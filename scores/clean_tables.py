"""Tables that are taken to be right: what is flagged in them is a false alarm. Written as CSV, as a customer would."""

import csv
import gzip
import sqlite3
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from scores.public_data import data

ROWS = 20_000  # of the large ones, the first
SALES = """
    SELECT l.InvoiceLineId, i.InvoiceId, i.InvoiceDate, c.FirstName, c.LastName, c.Email, c.City, c.Country,
        t.Name AS Track, a.Title AS Album, r.Name AS Artist, g.Name AS Genre, m.Name AS MediaType, l.UnitPrice
    FROM InvoiceLine l JOIN Invoice i USING (InvoiceId) JOIN Customer c USING (CustomerId) JOIN Track t USING (TrackId)
    JOIN Album a USING (AlbumId) JOIN Artist r USING (ArtistId) JOIN Genre g USING (GenreId)
    JOIN MediaType m ON m.MediaTypeId = t.MediaTypeId ORDER BY l.InvoiceLineId
"""
Rows = Iterator[tuple[object, ...]]


def clean_tables(folder: Path) -> Iterator[tuple[str, Path]]:
    """Name and file of each."""
    for name in ("hospital", "flights", "beers"):
        yield f"{name} (clean)", data(f"err-{name}", "clean.csv")
    for name, rows in WRITTEN.items():
        yield name, _written(folder / f"{name}.csv", rows())
    yield "dblp", data("er-dblp-acm", "dblpclean.csv")
    yield "acm", data("er-dblp-acm", "acmclean.csv")


def table(name: str, folder: Path) -> Path:
    """One of those that are written."""
    return _written(folder / f"{name}.csv", WRITTEN[name]())


def _written(path: Path, rows: Rows) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return path


def _chinook(query: str) -> Callable[[], Rows]:
    def rows() -> Rows:
        with sqlite3.connect(data("keys-chinook", "Chinook_Sqlite.sqlite")) as chinook:
            found = chinook.execute(query)
            yield tuple(name for name, *_ in found.description)
            yield from found

    return rows


def _adult() -> Rows:
    import duckdb

    path = str(data("drift-adult", "adults.parquet"))
    with duckdb.connect() as db:
        found = db.execute(f"SELECT * FROM read_parquet('{path}') LIMIT {ROWS}")
        yield tuple(name for name, *_ in found.description or ())
        yield from found.fetchall()


def _taxi() -> Rows:
    path = data("drift-nyc-taxi", "yellow_tripdata_sample_2018-01.csv.gz")
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        yield from (tuple(row) for row in islice(csv.reader(file), ROWS + 1))


def _febrl() -> Rows:
    with data("er-febrl", "dataset1.csv").open(encoding="utf-8", newline="") as file:
        lines = csv.reader(file)
        yield tuple(next(lines))
        yield from (tuple(cell.strip() for cell in row) for row in lines if "-org" in row[0])


WRITTEN: dict[str, Callable[[], Rows]] = {
    "adult": _adult,
    "taxi": _taxi,
    "febrl": _febrl,
    "chinook-sales": _chinook(SALES),
    "chinook-tracks": _chinook("SELECT * FROM Track"),
    "chinook-customers": _chinook("SELECT * FROM Customer"),
    "chinook-invoices": _chinook("SELECT * FROM Invoice"),
}
