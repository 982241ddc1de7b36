from collections.abc import Iterator
from enum import StrEnum

import pytest

from backend.metrics import catalogue
from backend.metrics.exposition import exposition, registry
from backend.metrics.kinds import Counter, Gauge, Histogram, Label, Level, Metric
from backend.metrics.tally import TALLY


class Side(StrEnum):
    LEFT = "left"
    RIGHT = "right"


TURNS = Counter("test_turns_total", "Turns.", (Label("side", Side),))
NAMED = Counter("test_named_total", "Named at run time.", (Label("name"),))
TOOK = Histogram("test_took_seconds", "Took.", (Label("name"),), (1, 10))
LEVEL = Gauge("test_level", "Level.", (Label("name"),))
ALL: tuple[Metric, ...] = (catalogue.INFO, TURNS, NAMED, TOOK, LEVEL)


@pytest.fixture(autouse=True)
def _own_numbers() -> Iterator[None]:
    before = TALLY.take()
    yield
    TALLY.take()
    TALLY.include(before)


def lines(*levels: Level) -> list[str]:
    return exposition(registry(ALL, lambda: levels)).decode().splitlines()


def test_series_that_can_be_named_beforehand_are_there_at_nought() -> None:
    TURNS.count("left")
    told = lines()
    assert 'test_turns_total{side="left"} 1.0' in told
    assert 'test_turns_total{side="right"} 0.0' in told
    assert not [line for line in told if line.startswith("test_named_total{")]


def test_a_histogram_is_told_cumulatively() -> None:
    for seconds in (0.5, 0.5, 5, 50):
        TOOK.observe(seconds, "x")
    told = [line for line in lines() if line.startswith("test_took_seconds")]
    assert told == [
        'test_took_seconds_bucket{le="1.0",name="x"} 2.0',
        'test_took_seconds_bucket{le="10.0",name="x"} 3.0',
        'test_took_seconds_bucket{le="+Inf",name="x"} 4.0',
        'test_took_seconds_count{name="x"} 4.0',
        'test_took_seconds_sum{name="x"} 56.0',
    ]


def test_a_gauge_that_was_not_read_is_not_told() -> None:
    assert not [line for line in lines() if line.startswith("test_level")]
    assert 'test_level{name="a \\"word\\""} 2.0' in lines(LEVEL.at(2, 'a "word"'))


def test_version_and_process_are_told_with_everything() -> None:
    told = lines()
    assert any(line.startswith("process_resident_memory_bytes ") for line in told)
    assert any(
        line.startswith("agensium_info{version=")
        for line in exposition(registry(catalogue.API, tuple)).decode().splitlines()
    )
