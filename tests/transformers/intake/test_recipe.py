"""The customer's bytes come back, whatever the file looks like."""

import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from intake_reading import Read, read, shared

from backend.errors import CustomerError
from scores.pollution import polluted_files
from transformers.intake.recipe import RecipeMismatchError, rebuild_bytes, write_recipe


def _rebuilt(folder: Path, content: bytes, name: str = "data.csv") -> tuple[bytes, Read, Path]:
    source, target = folder / "source", folder / "target"
    source.write_bytes(content)
    got = read(folder, source, name, ("csv", "tsv"))
    recipe = write_recipe(source, got.table, folder)
    rebuild_bytes(got.table.path, got.table.rejects_path, recipe, target)
    return target.read_bytes(), got, recipe


@pytest.mark.parametrize(
    "content",
    [
        b"a,b\n1,2\n3,4\n",
        b"a,b\r\n1,2\r\n3,4",
        b"\xef\xbb\xbfa;b\n1;2\n3;4\n",
        b'"a","b"\n"1",""\n"3","x ""y"" z"\n',
        b"a,b\n1,2\n\n3,4\n\n\n",
        b"Report\n\na,b,c\n1,2,3\n4,5,6\nTotal\n",
        b"a,b,c\n1\n2,3\n4,5,6,7\n8,9,,\n",
        b'a,b\n1,"x\ny"\n2,5" pipe\n"3,4\n',
        b'a, b\n1, 2\n3, "4, 5"\n',
        b"a\nx\ny\n",
        b"a||b\n1||2\n3||4|\n",
        "a,b\nM\u00fcller,1\nZo\u00eb,2\nx,y\n".encode("utf-16"),
        "a,b\nM\u00fcller,1\nZo\u00eb,2\n".encode("latin-1"),
        b"a,b\nM\xc3\xbcller,1\nH\xc3\xb6he,2\nJ\xfcrgen,3\n",
        b"a,b\n1,x\0y\n2,z\n",
        b'a,b\n1,"x \\"y\\", z"\n2,q\n',
        b"a,b\n1,2\n1,2\n1,3\n1,2\n\n1,2\n",
    ],
)
def test_the_bytes_come_back(tmp_path: Path, content: bytes) -> None:
    assert _rebuilt(tmp_path, content)[0] == content


@pytest.mark.parametrize("folder", ["csv-spectrum", "csv-messytables-horror", "csv-frictionless", "er-febrl"])
def test_the_bytes_of_files_known_to_break_readers_come_back(tmp_path: Path, folder: str) -> None:
    for path in sorted(shared(folder).glob("*.[ct]sv"))[:16]:
        place = tmp_path / path.name
        place.mkdir()
        try:
            rebuilt = _rebuilt(place, path.read_bytes(), path.name)[0]
        except CustomerError:
            continue
        assert rebuilt == path.read_bytes(), path.name


def test_the_bytes_of_polluted_files_come_back(tmp_path: Path) -> None:
    shared("err-beers")
    for number, made in enumerate(polluted_files(7)):
        if number % 8 == 0:
            place = tmp_path / str(number)
            place.mkdir()
            assert _rebuilt(place, made.content)[0] == made.content, made.name


LINE = st.text(alphabet='ab1"\n\r,; \\é', max_size=12)


@settings(max_examples=60, deadline=None)
@given(st.lists(LINE, min_size=1, max_size=12), st.sampled_from(["utf-8", "utf-16", "cp1252"]))
def test_the_bytes_of_anything_that_can_be_read_come_back(lines: list[str], encoding: str) -> None:
    content = "\n".join(["a,b", "1,2", *lines]).encode(encoding)
    with tempfile.TemporaryDirectory() as folder:
        try:
            rebuilt = _rebuilt(Path(folder), content)[0]
        except CustomerError:
            return
    assert rebuilt == content


def test_a_clean_file_needs_a_small_recipe(tmp_path: Path) -> None:
    rows = "".join(f'{n},"name {n}",{n / 7:.3f},"x, y"\n' for n in range(30_000))
    content = ("id,name,score,what\n" + rows).encode()
    rebuilt, _, recipe = _rebuilt(tmp_path, content)
    assert rebuilt == content
    assert recipe.stat().st_size < 3_000


def test_a_file_that_is_nowhere_as_its_rendering_comes_back(tmp_path: Path) -> None:
    rows = "".join(f'{n}, "a"x ,  {n % 7}\n' if n % 3 else f'"{n}",b,""\n\n' for n in range(30_000))
    content = ("id,name,score\n" + rows).encode()
    assert _rebuilt(tmp_path, content)[0] == content


def test_the_batches_of_the_table_do_not_matter(tmp_path: Path) -> None:
    content = b"a,b,c\n" + b"".join(b"%d,x,\n\n%d,y\n" % (n, n) for n in range(500)) + b"1,2,3,4\n"
    _, got, recipe = _rebuilt(tmp_path, content)
    again = tmp_path / "again.parquet"
    pq.write_table(pq.read_table(got.table.path), again, row_group_size=7)
    rebuild_bytes(again, got.table.rejects_path, recipe, tmp_path / "target")
    assert (tmp_path / "target").read_bytes() == content


def test_another_table_is_refused(tmp_path: Path) -> None:
    _, got, recipe = _rebuilt(tmp_path, b"a,b\n1,2\n3,4\n")
    other = tmp_path / "other.parquet"
    table = pq.read_table(got.table.path)
    pq.write_table(table.set_column(1, "b", pa.array(["2", "5"])), other)
    with pytest.raises(RecipeMismatchError):
        rebuild_bytes(other, None, recipe, tmp_path / "target")
    assert not (tmp_path / "target").exists()
