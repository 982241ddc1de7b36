import uuid
from datetime import UTC, datetime, timedelta
from itertools import islice

from backend.chaos.strikes import Kind, Strike, percentile, rescues, rotation
from db.events import EventKind
from db.evidence import Happening

TASK = uuid.uuid4()
KILLED_AT = datetime(2025, 11, 21, 9, 30, tzinfo=UTC)


def history(**seconds: float) -> dict[uuid.UUID, list[Happening]]:
    """Events by name, an optional number after it, and when, in seconds after the kill."""
    return {
        TASK: [
            Happening(EventKind(name.rstrip("0123456789")), KILLED_AT + timedelta(seconds=after), {})
            for name, after in seconds.items()
        ]
    }


def rescued(epoch: int = 1, **seconds: float) -> list[float]:
    strike = Strike(Kind.WORKER, KILLED_AT, ((TASK, epoch),), slots_were_free=True)
    return [one.seconds for one in rescues([strike], history(**seconds))]


def test_a_rescue_lasts_from_the_kill_to_the_next_claim() -> None:
    assert rescued(created=-3, queued=-2, started=-1, rescued=3.1, started2=3.2) == [3.2]
    assert rescued(created=-3, queued=-2, started=-1, step_delivered=-0.5, retrying=0.1, started2=0.2) == [0.2]


def test_of_several_claims_the_one_that_was_hit_counts() -> None:
    assert rescued(2, queued=-9, started=-8, rescued=-4, started2=-3, rescued2=3, started3=3.5) == [3.5]


def test_what_went_on_to_its_end_was_not_interrupted() -> None:
    assert rescued(created=-3, queued=-2, started=-1, completed=0.1) == []


def test_what_had_ended_before_the_kill_was_not_hit_by_it() -> None:
    assert rescued(created=-3, queued=-2, started=-1, handed_back=-0.1, started2=0.4) == []


def test_percentiles_are_values_that_were_measured() -> None:
    assert percentile([5.0, 1.0, 3.0], 0.5) == 3.0
    assert percentile([float(n) for n in range(1, 101)], 0.99) == 99.0
    assert percentile([2.0], 0.99) == 2.0
    assert percentile([float(n) for n in range(1, 21)], 0.95) == 19.0


def test_outside_prefork_no_slot_can_be_killed_alone() -> None:
    assert list(islice(rotation("prefork"), 4)) == [Kind.WORKER, Kind.SLOT, Kind.AGENT, Kind.WORKER]
    assert Kind.SLOT not in set(islice(rotation("threads"), 6))
