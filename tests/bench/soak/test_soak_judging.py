"""Every bar fails when what it is for is planted, and holds when it is not."""

import random
from dataclasses import replace

import pytest

from bench.soak.census import Found, Identity, Kind, Reading
from bench.soak.figures import Recorded, figures
from bench.soak.judging import AT_REST, IN_THE_END, LEFT, Verdict, at_rest, in_the_end, verdicts
from bench.soak.outside import Counts

WARM, END, EVERY = 300.0, 1200.0, 4.0
SLOT = Identity(Kind.SLOT, 7, 1.0)
NOTHING = Counts(0.0, 30, 0, 0.0, 0.0, 30, 4, 0, 0, 3, 0, 8, 0, 0)


def recorded(
    *, memory: float = 0.0, files: float = 0.0, threads: float = 0.0, connections: float = 0.0, lives: float = END
) -> Recorded:
    """A slot's life, and how much more it has of each by the minute. `lives`: its successors do not differ."""
    found = Recorded(judged=(WARM, END))
    for number in range(int(END / EVERY)):
        at = number * EVERY
        minutes = at % lives / 60
        identity = replace(SLOT, pid=SLOT.pid + int(at // lives))
        reading = Reading(at, (80 + memory * minutes) * 1e6, int(20 + files * minutes), int(5 + threads * minutes))
        found.looks.append((at, Found({identity: reading}, ())))
        found.counts.append(replace(NOTHING, at=at, database_connections=int(30 + connections * minutes)))
    return found


def missed(found: list[Verdict]) -> list[str]:
    return [one.what for one in found if not one.held]


def test_a_process_that_stays_as_it_is_holds_every_bar() -> None:
    found = verdicts(recorded())
    assert missed(found) == []
    assert {one.what for one in found} >= {"memory of slot 7", "open files of slot 7", "threads of slot 7"}


def test_a_process_that_grows_by_three_megabytes_a_minute_is_named() -> None:
    assert missed(verdicts(recorded(memory=3.0))) == [
        "memory of slot 7",
        "memory of all slot processes, of each at least",
    ]


def test_one_that_grows_by_half_a_megabyte_a_minute_is_within_the_bar() -> None:
    assert missed(verdicts(recorded(memory=0.5))) == []


def test_a_file_that_is_left_open_every_other_minute_is_named() -> None:
    assert missed(verdicts(recorded(files=0.5))) == ["open files of slot 7"]


def test_threads_that_do_not_end_are_named() -> None:
    assert missed(verdicts(recorded(threads=0.5))) == ["threads of slot 7"]


def test_connections_that_are_not_given_back_are_named() -> None:
    assert missed(verdicts(recorded(connections=0.5))) == ["database connections under load, at least"]


def test_what_is_killed_every_few_minutes_is_judged_with_its_kind_alone() -> None:
    found = recorded(memory=3.0, lives=120.0)
    assert [(one.lives, one.judged) for one in figures(found)] == [(10, 0)]
    assert {one.what for one in verdicts(found) if "memory" in one.what} == {
        "memory of all slot processes, of each at least"
    }


def test_what_goes_up_and_down_by_chance_is_no_leak_and_one_beneath_it_is() -> None:
    chance = random.Random(5)
    for grows, expected in ((0.0, []), (9.0, ["memory of all slot processes, of each at least"])):
        found = recorded(lives=120.0)
        for place, (at, look) in enumerate(found.looks):
            ((identity, reading),) = look.readings.items()
            memory = reading.memory + 50e6 * chance.random() * (place % 7 > 0) + grows * 1e6 * at / 60
            found.looks[place] = at, Found({identity: replace(reading, memory=memory)}, ())
        assert missed(verdicts(found)) == expected


@pytest.mark.parametrize("name", list(NOTHING.names()))
def test_what_a_deployment_at_rest_has_too_much_of_is_named(name: str) -> None:
    nobody = Found({}, ())
    more = replace(NOTHING, **{name: getattr(NOTHING, name) + AT_REST[name] + 1})  # type: ignore[arg-type]
    assert missed(at_rest((NOTHING, nobody), (NOTHING, nobody))) == []
    assert missed(at_rest((NOTHING, nobody), (more, nobody))) == [f"{name.replace('_', ' ')} at rest"]


def test_a_process_more_and_an_orphan_are_named() -> None:
    one = Found({SLOT: Reading(0.0, 1.0, 1, 1)}, ())
    two = Found(one.readings | {replace(SLOT, pid=8): Reading(0.0, 1.0, 1, 1)}, ("agent 9: python",))
    assert missed(at_rest((NOTHING, one), (NOTHING, two))) == ["slot processes at rest", "orphaned processes at rest"]


@pytest.mark.parametrize("name", IN_THE_END)
def test_what_is_left_after_the_end_is_named(name: str) -> None:
    nothing = replace(NOTHING, **dict.fromkeys(IN_THE_END, 0))  # type: ignore[arg-type]
    assert missed(in_the_end(nothing, Found({}, ()))) == []
    left = replace(nothing, **{name: LEFT.get(name, 0) + 1})  # type: ignore[arg-type]
    assert missed(in_the_end(left, Found({}, ()))) == [f"{name.replace('_', ' ')} after the end"]


def test_a_process_that_outlives_the_deployment_is_named() -> None:
    nothing = replace(NOTHING, **dict.fromkeys(IN_THE_END, 0))  # type: ignore[arg-type]
    left = Found({SLOT: Reading(0.0, 1.0, 1, 1)}, ())
    assert missed(in_the_end(nothing, left)) == ["processes after the end"]
