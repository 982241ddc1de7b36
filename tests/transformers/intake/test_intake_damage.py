import io
import json
import random
import struct
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from intake_reading import read
from test_intake_workbooks import workbook

from backend.errors import CustomerError

TRIALS = 25  # of each kind; 1,450 more were run by hand
ROWS = [["id", "name"], *([number, f"name {number}"] for number in range(30))]
LIES = [b"\0\0\0\0", b"\xff\xff\xff\x7f", b"\xff\xff\xff\xff", b"\0\0\0\x80", b"9999", b"[[[[", b'"""', b"\xff\xfe"]
DIRECTORY = (b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06")


def parquet() -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table({"id": list(range(300)), "name": [f"x{number % 9}" for number in range(300)]}), file)
    return file.getvalue()


def flipped(content: bytes, chance: random.Random) -> bytes:
    broken = bytearray(content)
    for _ in range(chance.choice([1, 3, 20])):
        broken[chance.randrange(len(broken))] ^= 1 << chance.randrange(8)
    return bytes(broken)


def cut_short(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(1, len(content))]


def lying(content: bytes, chance: random.Random) -> bytes:
    """About a length or a place, most of which stand at the end."""
    lie = chance.choice(LIES)
    at = chance.choice([chance.randrange(len(content)), max(0, len(content) - chance.randrange(4, 40))])
    return content[:at] + lie + content[at + len(lie) :]


def lying_directory(content: bytes, chance: random.Random) -> bytes:
    places = [at for mark in DIRECTORY for at in range(len(content)) if content.startswith(mark, at)]
    if not places:
        return lying(content, chance)
    at = chance.choice(places) + chance.randrange(4, 40, 2)
    return content[:at] + struct.pack("<I", chance.choice([0, 1, 100_000, 2**31 - 1, 2**32 - 1])) + content[at + 4 :]


@pytest.mark.parametrize("damage", [flipped, cut_short, lying, lying_directory])
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b"".join(b'%d,"x, %d",\xc3\xa9\n' % (number, number) for number in range(40))),
        ("a.tsv", b"a\tb\n1\t2\n" * 20),
        ("a.json", json.dumps([{"a": 1, "b": {"c": [1, "x"]}}, {"a": None}]).encode()),
        ("a.jsonl", b'{"a":1,"b":"x"}\n{"a":2}\n' * 10),
        ("a.xlsx", workbook(one=ROWS)),
        ("a.parquet", parquet()),
    ],
    ids=["csv", "tsv", "json", "jsonl", "xlsx", "parquet"],
)
def test_whatever_is_wrong_with_a_table_is_told_to_its_customer(
    tmp_path: Path, name: str, content: bytes, damage: Callable[[bytes, random.Random], bytes]
) -> None:
    chance = random.Random(f"{name} {damage.__name__}")
    for _ in range(TRIALS):
        try:
            found = read(tmp_path, damage(content, chance), name)
        except CustomerError as error:
            assert error.context["file"] == name  # noqa: PT017 (either is well)
            assert not list((tmp_path / "scratch").iterdir())
        else:
            assert found.table.rows == len(found.rows)
            for left in (tmp_path / "scratch").iterdir():
                left.unlink()
