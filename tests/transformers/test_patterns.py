"""No pattern of ours takes more than linear time on what a customer may send.

Every pattern that the rooms of the data compile is found, and shown texts made to hurt it, of one length and of twice
that. What DuckDB matches is RE2, linear by construction; there no customer's pattern is compiled by Python's `re`.
"""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from time import process_time
from typing import Any

import pytest

import transformers
from transformers.chunking.sentences import END
from transformers.coverage.forms import fault_of
from transformers.feature_types.shapes import NUMBER

LENGTH = 1_000
SLOW = 0.01  # seconds at twice the length; below, a ratio would measure the clock
GROWTH = 3.2  # at twice the length; a square would be 4
# What begins a match again and again and ends it with nothing, of every kind of character that our patterns know.
SEEDS = (
    "a", "A", "0", " ", "-", "\t", "\n", "_", ".", ",", ":", "/", "<", ">", "[", "(", "#", "=", "`", "|", "'", '"', "&",
    "a ", "A ", "aA", "0 ", "0-", "0.", "0,", "a.", "a@", "a-", "a_", "<a ", "<a b=", "< ", " \n", "-\n", "a\n", "\n ",
    '{"', "a,", "a;", "[a]", "#a", "Aa ", "A. ", "+0", "0 0", "AB12", "1/2 ", 'x="', "é", "\u200b", "\ud800", "12:3",
    '<c r="A1" ', "password ", "St. ", "https://", "%41", "a'", "a+b", "IBAN ", "e+", "word: ",
)  # fmt: skip
NOT_THE_DATAS = {"transformers.agent_stderr"}  # our own interpreter's words


def rooms() -> Iterator[str]:
    for room in pkgutil.walk_packages(transformers.__path__, "transformers."):
        if not room.ispkg and room.name not in NOT_THE_DATAS:
            yield room.name


def patterns_in(value: Any, depth: int = 0) -> Iterator[re.Pattern[Any]]:
    if isinstance(value, re.Pattern):
        yield value
    elif depth < 3 and isinstance(value, dict):
        for one in value.values():
            yield from patterns_in(one, depth + 1)
    elif depth < 3 and isinstance(value, tuple | list | frozenset | set):
        for one in value:
            yield from patterns_in(one, depth + 1)
    elif depth < 3 and hasattr(value, "form") and isinstance(value.form, re.Pattern):
        yield value.form


def patterns() -> dict[str, re.Pattern[Any]]:
    found: dict[str, re.Pattern[Any]] = {}
    for name in rooms():
        for said, value in vars(importlib.import_module(name)).items():
            for number, pattern in enumerate(patterns_in(value)):
                found.setdefault(f"{name.removeprefix('transformers.')}.{said}.{number}", pattern)
    return found


@cache
def words_of_the_rooms() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in Path(transformers.__path__[0]).rglob("*.py"))


def methods(name: str) -> list[str]:
    """How a pattern is used, by the name that it has in its room; all ways where that does not show."""
    used = re.findall(
        rf"\b{name}\b(?:\[[^\]]*\])?\.(search|finditer|sub|findall|split|match|fullmatch)\(", words_of_the_rooms()
    )
    return sorted(set(used)) or ["fullmatch", "match", "search"]


def seconds(pattern: re.Pattern[Any], used: list[str], text: str) -> float:
    given: Any = text.encode(errors="replace") if isinstance(pattern.pattern, bytes) else text
    began = process_time()
    for method in used:
        if method in {"search", "match", "fullmatch"}:
            getattr(pattern, method)(given)
        else:
            for found in pattern.finditer(given):
                del found
    return process_time() - began


def hurt_by(pattern: re.Pattern[Any], used: list[str], seeds: tuple[str, ...] = SEEDS) -> list[str]:
    worst = []
    for seed in seeds:
        for end in ("", "!"):
            short, long = (seed * (length // len(seed)) + end for length in (LENGTH, 2 * LENGTH))
            took = seconds(pattern, used, long)
            if took < SLOW:
                continue
            if took <= GROWTH * seconds(pattern, used, short):
                continue
            took = min(took, *(seconds(pattern, used, long) for _ in range(3)))  # the machine may have been busy
            before = min(seconds(pattern, used, short) for _ in range(4))
            if took > SLOW and took > GROWTH * before:
                worst.append(f"{seed!r}…{end!r}: {before:.4f} s, then {took:.4f} s")
    return worst


def test_what_hurts_a_pattern_is_found() -> None:
    assert hurt_by(re.compile(r"\d+\.?\d*"), ["fullmatch"], ("0",))
    assert not hurt_by(re.compile(r"\d+(\.\d*)?"), ["fullmatch"], ("0",))


@pytest.mark.parametrize("seed", [".", "!", "!.", "…!", '."', "。"])
def test_the_ends_of_sentences_are_found_in_any_row_of_marks(seed: str) -> None:
    assert hurt_by(END, ["search", "finditer"], (seed,)) == []


def test_a_number_of_any_length_is_told_from_what_is_none() -> None:
    assert hurt_by(NUMBER, ["fullmatch"], ("0", "1.", ".1", "1e")) == []


@pytest.mark.long
@pytest.mark.timeout(900)
def test_no_pattern_of_ours_is_slowed_down_by_what_it_reads() -> None:
    every = patterns()
    assert len(every) > 150
    hurt = {name: hurt_by(pattern, methods(name.split(".")[-2])) for name, pattern in every.items()}
    assert {name: by for name, by in hurt.items() if by} == {}


@pytest.mark.parametrize("pattern", [r"(a+)+$", r"(a|a)*b", r"(.*a){20}", r"(x+x+)+y", r"^(\w+\s?)*$"])
def test_a_customers_pattern_is_matched_in_linear_time(pattern: str) -> None:
    import duckdb

    assert fault_of(pattern) is None
    text = "a" * 100_000 + "!"
    with duckdb.connect() as db:
        began = process_time()
        db.execute("SELECT regexp_full_match($1, $2)", [text, pattern]).fetchall()
    assert process_time() - began < 2


@pytest.mark.parametrize("pattern", [r"(a+)\1", r"(?=a)", r"(?<!a)b", r"a++", "a" * 1001, "a\0"])
def test_what_no_linear_engine_offers_is_refused_with_the_form(pattern: str) -> None:
    assert fault_of(pattern) is not None
