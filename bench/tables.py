"""A made-up table of customers, the same bytes for the same number of rows, and which of its rows are one person.

Twelve columns, about 120 bytes a row. A fifth of the rows speak of somebody who has a row already: a few as exact
copies, a few in other case, most written otherwise (typos, initials, another address, empty cells). Dates in three
formats, amounts with words for nothing, empty cells. DuckDB writes it, since Python would take minutes.
"""

from dataclasses import dataclass
from pathlib import Path

from backend.product import ROOT

SEED = 13
FOLDER = ROOT / ".agensium" / "bench-tables"
ONCE_MORE = 5  # of so many rows one speaks of somebody who has been named
FIRST = (
    "Ann Bob Chloé David Elena Farid Greta Hugo Ines Jamal Kim Lars Mia Noah Olga Paul Quentin Rosa Sven Tara Umar"
    " Vera Wim Xenia Yusuf Zoe Amira Bruno Carla Dirk Emma Felix Gina Hans Ida Jonas Klara Leon Maria Nils"
)
SYLLABLES = (
    "ber mann son ski lund holm stein bach roth feld vik gard wald hof thal bury ton ley worth ford well by dale mer"
    " lin der sen nov ak ich ov ez ra mo ti sal gue du bois mar chal"
)
STREETS = "Oak Hill Mill Station Church Garden River Lake High Park King Queen North South Market Bridge School Green"
CITIES = "Berlin Paris Madrid Rome Lisbon Vienna Prague Warsaw Oslo Dublin Athens Helsinki Lyon Porto Graz Bergen"
WORDS = (
    "asks for a call before noon gift please ring twice leave parcel at the door neighbour knows code of garden gate"
)


@dataclass(frozen=True)
class Customers:
    """`path` is the CSV; `truth` a Parquet file: for each row of it, in order, the number of the person."""

    path: Path
    truth: Path
    rows: int


def customers(rows: int, folder: Path = FOLDER) -> Customers:
    """From the cache, or written now. `rows` is a power of ten, from a hundred."""
    made = Customers(folder / f"customers-{SEED}-{rows}.csv", folder / f"customers-{SEED}-{rows}.parquet", rows)
    if not (made.path.exists() and made.truth.exists()):
        folder.mkdir(parents=True, exist_ok=True)
        _write(made)
    return made


def _write(made: Customers) -> None:
    import duckdb

    with duckdb.connect(config={"memory_limit": "600MiB", "threads": 2, "preserve_insertion_order": True}) as db:
        db.execute(f"CREATE VIEW people AS {_people(made.rows)}")
        cells = f"SELECT {_columns()} FROM people"
        for said, path, how in (
            ("SELECT i + 1 AS source_row, person FROM people", made.truth, "FORMAT parquet"),
            (cells, made.path, "FORMAT csv, HEADER"),
        ):
            part = path.with_name(f"{path.name}.part")
            db.execute(f"COPY ({said}) TO '{part}' ({how})")
            part.replace(path)


def _people(rows: int) -> str:
    """`i` is the row, `person` who it speaks of, `way` how: 0 first mention, 1 exact copy, 2 other case, 3 otherwise.

    7919 is prime, and so the places of the rows are shuffled without a sort.
    """
    persons = rows - rows // ONCE_MORE
    return f"""
        SELECT i, place, person, CASE WHEN place < {persons} THEN 0 WHEN {_dice("i", 90, 10)} < 1 THEN 1
            WHEN {_dice("i", 90, 10)} < 2 THEN 2 ELSE 3 END AS way
        FROM (SELECT i, place, CASE WHEN place < {persons} THEN place ELSE {_dice("i", 91, persons)} END AS person
            FROM (SELECT i, (i * 7919) % {rows} AS place FROM range({rows}) AS r(i)))"""


def _dice(of: str, salt: int, sides: int) -> str:
    return f"(hash({of} * 128 + {salt}, {SEED}) % {sides})::BIGINT"


def _one_of(listed: str, salt: int, of: str = "person") -> str:
    words = listed.split()
    return f"list_extract([{','.join(repr(word) for word in words)}], 1 + {_dice(of, salt, len(words))})"


def _columns() -> str:
    return ", ".join(f"{said} AS {name}" for name, said in _cells().items())


def _cells() -> dict[str, str]:
    first, last = _one_of(FIRST, 1), f"{_one_of(SYLLABLES, 2)} || {_one_of(SYLLABLES, 3)} || {_one_of(SYLLABLES, 4)}"
    last = f"(upper(left({last}, 1)) || substr({last}, 2))"
    said = "CASE WHEN way = 3 THEN -i ELSE person END"  # what is another one at each mention
    born, other_day = (f"DATE '1940-01-01' + ({_dice('person', 5, 24000)} + {more})::INTEGER" for more in (0, "i % 28"))
    joined = f"DATE '2015-01-01' + {_dice(said, 6, 3650)}::INTEGER"
    phone = f"{_dice('person', 7, 9000)} + 1000, {_dice('person', 8, 9000)} + 1000"
    wrong_phone = f"{_dice('person', 7, 9000)} + 1000, {_dice('i', 8, 9000)} + 1000"
    mail = f"lower(strip_accents({first})) || '.' || lower({last}) || {_dice('person', 9, 100)}"
    street, moved = (
        f"{_one_of(STREETS, 10, who)} || ' Street ' || (1 + {_dice(who, 11, 180)})" for who in ("person", "i")
    )
    amount = f"printf('%.2f', ({_dice(said, 12, 90000)} + {_dice(said, 13, 90000)}) / 31.0)"
    short = f"lower(left(strip_accents({first}), 1) || {last}) || '@mail.example'"
    number, wrong_number = (f"printf('%05d', 1000 + {_dice(who, 24, 9000)})" for who in ("person", "i"))
    city = _one_of(CITIES, 25)
    note = " || ' ' || ".join(_one_of(WORDS, 31 + n, said) for n in range(6))
    return {
        "customer_id": "printf('C%08d', CASE WHEN way IN (1, 2) THEN person ELSE place END)",
        "first_name": _otherwise(first, 14, f"left({first}, 1) || '.'", "NULL", _one_of(FIRST, 1, "i")),
        "last_name": _otherwise(last, 15, f"left({last}, 2) || substr({last}, 4)", f"{last} || 'e'", "NULL"),
        "email": _otherwise(f"{mail} || '@example.com'", 16, "NULL", short, f"{mail} || '@exmaple.com'"),
        "phone": _otherwise(f"printf('+49 30 %d%d', {phone})", 17, f"printf('030/%d-%d', {phone})", "NULL",
            f"printf('+49 30 %d%d', {wrong_phone})"),
        "street": _otherwise(street, 18, f"replace({street}, 'Street', 'St.')", moved),
        "postcode": _otherwise(number, 18, number, wrong_number),
        "city": _otherwise(city, 18, city, _one_of(CITIES, 25, "i")),
        "birth_date": f"CASE WHEN {_dice('person', 26, 25)} > 0 THEN"
        f" {_otherwise(_date(born), 19, 'NULL', _date(other_day))} END",
        "joined_on": f"strftime({joined}, '%Y-%m-%d')",
        "balance": f"CASE {_dice(said, 29, 40)} WHEN 0 THEN 'n/a' WHEN 1 THEN NULL ELSE {amount} END",
        "note": f"CASE WHEN {_dice(said, 30, 3)} = 0 THEN {note} END",
    }  # fmt: skip


def _date(day: str) -> str:
    """Two customers in five write it in the other way."""
    iso, other = (f"strftime({day}, '{form}')" for form in ("%Y-%m-%d", "%d.%m.%Y"))
    return f"CASE WHEN {_dice('person', 28, 5)} > 1 THEN {iso} ELSE {other} END"


def _otherwise(said: str, salt: int, *ways: str) -> str:
    """In a row that says it otherwise: each of the ways one time in seven; in other case: in capitals."""
    chosen = " ".join(f"WHEN {place} THEN {way}" for place, way in enumerate(ways))
    return (
        f"CASE way WHEN 2 THEN upper({said}) WHEN 3 THEN CASE {_dice('i', salt, 7)} {chosen} ELSE {said} END"
        f" ELSE {said} END"
    )
