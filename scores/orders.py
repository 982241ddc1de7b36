"""A generated file of orders: 18 mixed columns, about 188 bytes a row, the same bytes for the same seed.

Codes, people, places, dates, moments, quantities, prices, flags and notes; some cells are empty, some are words for
nothing, a few do not fit. DuckDB writes it, since Python would take minutes.
"""

from pathlib import Path

SEED = 7
FIRST = "['Ann','Bob','Chloé','David','Elena','Farid','Greta','Hugo','Ines','Jamal','Kim','Lars','Mia','Noah','Olga']"
LAST = "['Smith','Jones','García','Müller','Rossi','Novak','Silva','Dubois','Kowalski','Nguyen','Okafor','Larsen']"
CITIES = "['Berlin','Paris','Madrid','Rome','Lisbon','Vienna','Prague','Warsaw','Oslo','Dublin','Athens','Helsinki']"
COUNTRIES = "['DE','FR','ES','IT','PT','AT','CZ','PL','NO','IE','GR','FI']"
STATES = "['paid','paid','paid','shipped','shipped','returned','cancelled','N/A']"
WORDS = (
    "['please','leave','parcel','at','the','door','ring','twice','fragile','gift','for','neighbour','call','before',"
    "'noon','garden','gate','code','asks','nobody']"
)


def write_orders(path: Path, rows: int, seed: int = SEED) -> Path:
    import duckdb

    with duckdb.connect(config={"memory_limit": "300MiB", "threads": 2}) as db:
        target = str(path).replace("'", "''")
        db.execute(f"COPY (SELECT {_columns(seed)} FROM range(1, {rows + 1}) AS t(i)) TO '{target}' (HEADER)")
    return path


def _columns(seed: int) -> str:
    def dice(salt: int, sides: int) -> str:
        return f"(hash(i * 64 + {salt}, {seed}) % {sides})::BIGINT"

    def one_of(listed: str, salt: int) -> str:
        return f"list_extract({listed}, 1 + {dice(salt, listed.count(',') + 1)})"

    note = " || ' ' || ".join(one_of(WORDS, 40 + k) for k in range(9))
    bell = " + ".join(dice(20 + k, 1000) for k in range(4))
    moment = f"TIMESTAMP '2019-01-01' + to_seconds({dice(9, 189_000_000)})"
    columns = {
        "order_id": "i",
        "order_code": f"printf('ORD-%04d-%08d', 2019 + {dice(1, 6)}, i)",
        "customer_id": dice(2, 50_000),
        "first_name": one_of(FIRST, 3),
        "last_name": one_of(LAST, 4),
        "email": f"lower({one_of(LAST, 4)}) || {dice(2, 50_000)} || '@example.com'",
        "phone": f"printf('+49 30 %07d', {dice(2, 50_000)} * 173 % 10000000)",
        "country": one_of(COUNTRIES, 5),
        "city": one_of(CITIES, 5),
        "postcode": f"printf('%05d', 1000 + {dice(6, 9000)})",
        "ordered_on": f"DATE '2019-01-01' + {dice(7, 2190)}::INTEGER",
        "shipped_at": f"CASE WHEN {dice(8, 5)} > 0 THEN {moment} END",
        "status": one_of(STATES, 10),
        "quantity": f"CASE WHEN {dice(11, 1000)} = 0 THEN 'many' ELSE (1 + {dice(12, 20)})::VARCHAR END",
        "unit_price": f"printf('%.2f', ({bell}) / 31.0)",
        "discount": f"CASE WHEN {dice(13, 10)} > 2 THEN printf('%.1f', {dice(14, 300)} / 10.0) END",
        "is_gift": f"CASE WHEN {dice(15, 6)} = 0 THEN 'true' ELSE 'false' END",
        "note": f"CASE WHEN {dice(16, 20)} > 4 THEN {note} END",
    }
    return ", ".join(f"{value} AS {name}" for name, value in columns.items())
