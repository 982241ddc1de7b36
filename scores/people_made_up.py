"""Seeded tables of invented people, and of things: anonymous and misleading headers, formats of many countries.

Identifiers are made by their own published rules, apart from the product's validators; names and streets are drawn from
the invented identities of the public set, which are not kept here.
"""

import csv
import hashlib
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from string import ascii_uppercase, digits

from scores.public_data import data

NAMES, HOSTS = ("anna", "p.k", "mo_li", "x"), ("mail.example", "web.de", "uol.com.br", "qq.com")
MAKES, GOODS = ("Oak", "Steel", "Nylon", "Glass", "Red", "Deluxe"), ("table", "bolt", "bag", "jar", "scarf", "lamp")
FIRMS, FORMS = (
    ("Norton", "Baker", "Global", "Atlas", "Meyer", "Sunrise"),
    ("Ltd", "GmbH", "Foods", "Logistics Inc.", "& Sons", "Systems"),
)
Chance = random.Random
Values = Sequence[str]
Maker = Callable[[Chance], str]
ROWS = 300


@dataclass(frozen=True)
class MadeTable:
    """`personal` names the columns that are."""

    name: str
    columns: Mapping[str, Values]
    personal: frozenset[str]


def pool(column: str) -> list[str]:
    path = data("pii-fakenames3000", "FakeNameGenerator.com_3000.csv")
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [row[column] for row in csv.DictReader(file) if row[column]]


def number(chance: Chance, length: int, first: str = digits) -> str:
    return chance.choice(first) + "".join(chance.choices(digits, k=length - 1))


def luhn(body: str) -> str:
    total = sum(sum(divmod(int(d) * (2 if i % 2 == 0 else 1), 10)) for i, d in enumerate(reversed(body)))
    return body + str(-total % 10)


def weighted(body: str, weights: Sequence[int]) -> int:
    return sum(int(d) * w for d, w in zip(body, weights, strict=False))


def card(chance: Chance) -> str:
    text = luhn(chance.choice(["4", "51", "55", "6011"]).ljust(1) + number(chance, 14))[:16]
    text = luhn(text[:15])
    return chance.choice([text, f"{text[:4]} {text[4:8]} {text[8:12]} {text[12:]}"])


def iban(chance: Chance) -> str:
    land, length = chance.choice([("DE", 22), ("FR", 27), ("ES", 24), ("NL", 18), ("PL", 28), ("SE", 24)])
    middle = "ABNA" + number(chance, length - 8) if land == "NL" else number(chance, length - 4)
    rest = int("".join(str(int(c, 36)) for c in f"{middle}{land}00"))
    return f"{land}{98 - rest % 97:02d}{middle}"


def ssn(chance: Chance) -> str:
    return f"{chance.randint(100, 665)}-{chance.randint(10, 99)}-{chance.randint(1000, 9999)}"


def dni(chance: Chance) -> str:
    body = number(chance, 8)
    return body + "TRWAGMYFPDXBNJZSQVHLCKE"[int(body) % 23]


def nino(chance: Chance) -> str:
    return f"{chance.choice('ABCEHJKLMNPRSTWXYZ')}{chance.choice('ABCEHJKLMPRSTWXYZ')} {number(chance, 2)} {number(chance, 2)} {number(chance, 2)} {chance.choice('ABCD')}"  # noqa: E501


def cpf(chance: Chance) -> str:
    body = number(chance, 9)
    for size in (10, 11):
        body += str(weighted(body, range(size, 1, -1)) * 10 % 11 % 10)
    return f"{body[:3]}.{body[3:6]}.{body[6:9]}-{body[9:]}"


def pesel(chance: Chance) -> str:
    body = birthday(chance).strftime("%y%m%d") + number(chance, 4)
    return body + str(-weighted(body, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)) % 10)


def personnummer(chance: Chance) -> str:
    body = birthday(chance).strftime("%y%m%d") + number(chance, 3)
    return f"{body[:6]}-{luhn(body)[6:]}"


def chinese_id(chance: Chance) -> str:
    body = f"{chance.randint(110101, 659001)}{birthday(chance):%Y%m%d}{number(chance, 3)}"
    return body + "10X98765432"[weighted(body, (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)) % 11]


def birthday(chance: Chance) -> date:
    return date(1945, 1, 1) + timedelta(days=chance.randint(0, 365 * 58))


def vin(chance: Chance) -> str:
    letters = "ABCDEFGHJKLMNPRSTUVWXYZ"
    text = chance.choice("1345") + "".join(chance.choices(letters + digits, k=16))
    worth = dict(
        zip(
            "ABCDEFGHJKLMNPRSTUVWXYZ",
            (1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 7, 9, 2, 3, 4, 5, 6, 7, 8, 9),
            strict=True,
        )
    )
    weights = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
    rest = sum((int(c) if c.isdigit() else worth[c]) * w for c, w in zip(text, weights, strict=True)) % 11
    return f"{text[:8]}{'X' if rest == 10 else rest}{text[9:]}"


PERSONAL: dict[str, Maker] = {  # by their values alone
    "email": lambda c: f"{c.choice(NAMES)}{number(c, 3)}@{c.choice(HOSTS)}",
    "card": card,
    "iban": iban,
    "ssn": ssn,
    "dni": dni,
    "nino": nino,
    "cpf": cpf,
    "pesel": pesel,
    "personnummer": personnummer,
    "chinese id": chinese_id,
    "vin": vin,
    "imei": lambda c: luhn("35" + number(c, 12)),
    "phone, international": lambda c: c.choice(
        [
            "+49 30 " + number(c, 8, "23456789"),
            "+33 1 42 " + " ".join(number(c, 2) for _ in range(3)),
            "+44 20 7946 0" + number(c, 3),
            "+1 212 555 " + number(c, 4),
        ]
    ),
    "phone, US": lambda c: f"({c.choice(['212', '415', '305', '617'])}) {number(c, 3, '23456789')}-{number(c, 4)}",
    "phone, FR": lambda c: "0" + c.choice("1234567") + "".join(f" {number(c, 2)}" for _ in range(4)),
    "ip": lambda c: f"{c.randint(11, 223)}.{c.randint(0, 255)}.{c.randint(0, 255)}.{c.randint(1, 254)}",
    "mac": lambda c: ":".join(f"{c.randint(0, 255):02x}" for _ in range(6)),
    "ethereum": lambda c: "0x" + "".join(c.choices("0123456789abcdef", k=40)),
    "aws key": lambda c: "AKIA" + "".join(c.choices(ascii_uppercase + "234567", k=16)),
    "password hash": lambda c: "$2b$12$" + "".join(c.choices(ascii_uppercase + digits, k=53)),
    "gender": lambda c: c.choice(["male", "female"]),
}
BY_HEADER: dict[str, tuple[Maker, tuple[str, ...]]] = {  # what only a header tells, in words of several languages
    "password": (lambda c: "".join(c.choices(ascii_uppercase + digits, k=9)), ("user_password", "Passwort", "senha")),
    "account": (lambda c: number(c, 10), ("bank_account_no", "Kontonummer", "numero_de_cuenta")),
    "passport": (lambda c: c.choice(ascii_uppercase) + number(c, 8), ("passport_no", "Reisepass", "pasaporte")),
    "licence": (
        lambda c: c.choice(ascii_uppercase) + number(c, 7),
        ("drivers_license", "Führerschein-Nr", "permis_de_conduire"),
    ),
    "birth": (lambda c: str(birthday(c)), ("dob", "Geburtsdatum", "data_nascita")),
    "age": (lambda c: str(c.randint(18, 90)), ("age", "Alter", "edad")),
    "phone": (lambda c: number(c, 9, "123456789"), ("mobile", "Telefonnummer", "celular")),
    "salary": (lambda c: str(c.randint(20, 150) * 1000), ("annual_salary", "Gehalt", "salario")),
    "health": (
        lambda c: c.choice(["asthma", "diabetes", "none known", "migraine"]),
        ("diagnosis", "Diagnose", "diagnostico"),
    ),
    "religion": (lambda c: c.choice(["a", "b", "c"]), ("religion", "Konfession", "religione")),
    "mangled card": (lambda c: f"{c.uniform(4, 5.6):.5f}E+15", ("CCNumber", "Kreditkartennummer", "card_number")),
}
THINGS: dict[str, Maker] = {
    "order number": lambda c: number(c, 10, "123456789"),
    "long order number": lambda c: number(c, 16, "45"),
    "part code": lambda c: f"{number(c, 3)}-{number(c, 3)}-{number(c, 4)}",
    "article": lambda c: f"{c.choice(ascii_uppercase)}{c.choice(ascii_uppercase)}-{number(c, 5)}",
    "nine digits": lambda c: number(c, 9, "123456789"),
    "eleven digits": lambda c: number(c, 11, "123456789"),
    "product": lambda c: f"{c.choice(MAKES)} {c.choice(GOODS)}",
    "price": lambda c: f"{c.uniform(1, 900):.2f}",
    "invoice date": lambda c: str(date(2022, 1, 1) + timedelta(days=c.randint(0, 700))),
    "timestamp": lambda c: (
        f"{date(2021, 1, 1) + timedelta(days=c.randint(0, 900))} {c.randint(0, 23):02d}:{c.randint(0, 59):02d}:00"
    ),
    "hash": lambda c: hashlib.sha256(number(c, 9).encode()).hexdigest(),
    "md5": lambda c: hashlib.md5(number(c, 9).encode(), usedforsecurity=False).hexdigest(),
    "uuid": lambda c: (
        f"{c.getrandbits(32):08x}-{c.getrandbits(16):04x}-4{c.getrandbits(12):03x}-a{c.getrandbits(12):03x}-{c.getrandbits(48):012x}"
    ),
    "version": lambda c: f"{c.randint(1, 9)}.{c.randint(0, 20)}.{c.randint(0, 99)}",
    "quantity": lambda c: str(c.randint(1, 99)),
    "status": lambda c: c.choice(["open", "paid", "shipped", "returned"]),
    "colour": lambda c: c.choice(["red", "navy blue", "green", "amber", "rose"]),
    "company": lambda c: f"{c.choice(FIRMS)} {c.choice(FORMS)}",
    "sentence": lambda c: (
        f"The {c.choice(GOODS)} was {c.choice(['late', 'fine'])} and {c.randint(2, 40)} {c.choice(GOODS)}s are new."
    ),
    "ean": lambda c: number(c, 13, "4"),
    "size": lambda c: c.choice(["S", "M", "L", "XL"]),
    "country": lambda c: c.choice(["DE", "FR", "US", "PL"]),
    "coordinates": lambda c: f"{c.uniform(40, 55):.5f}",
}
MISLEADING = {  # a thing under a person's header
    "phone": "product", "email": "order number", "ssn": "hash", "first_name": "article", "address": "uuid",
    "gender": "sentence", "credit_card": "status", "date_of_birth": "product", "ip_address": "version",
    "iban": "part code", "age": "invoice date", "last_name": "price",
}  # fmt: skip
HIDING = {  # personal data under a thing's header
    "order_ref": "email", "item": "iban", "remark": "phone, US", "product_code": "card", "sku": "cpf", "status": "ssn",
    "colour": "ip", "batch": "dni", "value": "pesel", "part": "vin", "measure": "phone, international",
}  # fmt: skip
FROM_POOL = {"given name": "GivenName", "surname": "Surname", "street": "StreetAddress", "title": "Title",
             "birthday": "Birthday", "mail": "EmailAddress", "telephone": "TelephoneNumber"}  # fmt: skip


def made_tables(seed: int) -> list[MadeTable]:
    chance = random.Random(seed)
    return [*_anonymous(chance), _misleading(chance), _in_other_words(chance), _of_things(chance)]


def _made(maker: Maker, chance: Chance) -> list[str]:
    return [maker(chance) if chance.random() > 0.03 else "" for _ in range(ROWS)]  # nobody fills in everything


def _anonymous(chance: Chance) -> list[MadeTable]:
    """Four tables of people, things among them; nothing but c1, c2 … at the head."""
    tables = []
    pools = {name: pool(column) for name, column in FROM_POOL.items()}
    for place, some in enumerate((list(PERSONAL)[i::4] for i in range(4)), 1):
        known = {name: _made(PERSONAL[name], chance) for name in some}
        known |= {name: chance.choices(pools[name], k=ROWS) for name in list(pools)[place % 2 :: 2]}
        things = {name: _made(THINGS[name], chance) for name in list(THINGS)[place - 1 :: 4]}
        every = list((known | things).items())
        chance.shuffle(every)
        columns = {f"c{i}": values for i, (_, values) in enumerate(every, 1)}
        personal = frozenset(f"c{i}" for i, (name, _) in enumerate(every, 1) if name in known)
        tables.append(MadeTable(f"anonymous {place}", columns, personal))
    return tables


def _misleading(chance: Chance) -> MadeTable:
    things = {header: _made(THINGS[name], chance) for header, name in MISLEADING.items()}
    known = {header: _made(PERSONAL[name], chance) for header, name in HIDING.items()}
    names = {"label": chance.choices(pool("GivenName"), k=ROWS), "category": chance.choices(pool("Surname"), k=ROWS)}
    return MadeTable("misleading headers", things | known | names, frozenset(known | names))


def _in_other_words(chance: Chance) -> MadeTable:
    known = {header: _made(maker, chance) for maker, headers in BY_HEADER.values() for header in headers}
    things = {f"{name.replace(' ', '_')}_{word}": _made(THINGS[name], chance) for name in THINGS for word in ("a",)}
    return MadeTable("headers of several languages", known | things, frozenset(known))


def _of_things(chance: Chance) -> MadeTable:
    """Shops and their goods, with the headers that such tables have: nobody's data."""
    named = {"shop_name": "company", "shop_lat": "coordinates", "product_name": "product", "order_no": "order number",
             "invoice_date": "invoice date", "unit_price": "price", "file_hash": "hash", "ean": "ean",
             "created_at": "timestamp", "app_version": "version", "brand": "company", "color": "colour",
             "country_code": "country", "part_number": "part code", "sku": "article", "size": "size",
             "quantity": "quantity", "tracking_id": "eleven digits", "description": "sentence", "session": "uuid",
             "item_status": "status", "serial": "long order number", "customer_count": "quantity",
             "email_sent": "status", "phone_model": "product", "address_count": "quantity",
             "birth_rate": "price", "password_changed": "invoice date"}  # fmt: skip
    return MadeTable("things", {header: _made(THINGS[name], chance) for header, name in named.items()}, frozenset())
