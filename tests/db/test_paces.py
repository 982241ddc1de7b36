from typing import Any

import pytest
from side_by_side import sql

from db import checkpoints, paces
from db.checkpoints import Checkpoint
from db.database import transaction
from db.models import StepStatus
from db.paces import ENOUGH_SAMPLES, STEPS_REMEMBERED, Pace
from tests import builders
from tests.builders import failed_step
from tests.round_trips import on_linux, trips_of

MEBIBYTE = 2**20
AGENT = "unified-profiler"


def delivered(seconds: float, *, mebibytes: float = 1, agent_id: str = AGENT) -> None:
    """A task whose agent delivered in so many seconds."""
    size = round(mebibytes * MEBIBYTE)
    inputs = {"primary": [{"size": size // 2}], "baseline": [{"size": size - size // 2}]}
    record(computed(seconds, agent_id), inputs=inputs)


def computed(seconds: float, agent_id: str = AGENT, **more: Any) -> Checkpoint:
    return Checkpoint(agent_id, StepStatus.DELIVERED, "f" * 64, round(seconds * 1000), peak_memory_bytes=1, **more)


def record(step: Checkpoint, **columns: Any) -> None:
    claim = builders.claimed_task()
    builders.change(claim.task_id, **columns)
    with transaction() as session:
        checkpoints.record(session, claim, step, amount=0, progress=50, next_agent=None)


def measured(unfolded: tuple[str, ...] = ()) -> dict[str, Pace]:
    with transaction() as session:
        paces.measure(session, unfolded)
        return dict(paces.known(session))


def test_a_pace_is_seconds_for_each_mebibyte_of_all_the_inputs() -> None:
    for _ in range(ENOUGH_SAMPLES):
        delivered(8.0, mebibytes=4)
    assert measured() == {AGENT: Pace(slow=2.0, usual=2.0)}


def test_a_small_file_counts_as_one_mebibyte_and_so_does_none() -> None:
    for _ in range(ENOUGH_SAMPLES // 2):
        delivered(3.0, mebibytes=0.001)
        record(computed(3.0), inputs={})
    assert measured() == {AGENT: Pace(slow=3.0, usual=3.0)}


def test_the_slow_pace_is_the_95th_percentile_and_the_usual_one_the_median() -> None:
    for seconds in range(21):
        delivered(seconds)
    assert measured() == {AGENT: Pace(slow=19.0, usual=10.0)}


def test_without_enough_history_nothing_is_known_of_an_agent() -> None:
    for _ in range(ENOUGH_SAMPLES - 1):
        delivered(1.0)
    assert measured() == {}
    delivered(1.0)
    assert set(measured()) == {AGENT}


def test_each_agent_has_its_own_pace_and_is_measured_anew() -> None:
    for _ in range(ENOUGH_SAMPLES):
        delivered(1.0)
        delivered(5.0, agent_id="score-risk")
    assert measured() == {AGENT: Pace(1.0, 1.0), "score-risk": Pace(5.0, 5.0)}
    for _ in range(ENOUGH_SAMPLES + 1):
        delivered(3.0)
    assert measured()[AGENT] == Pace(3.0, 3.0)


def test_a_small_artifact_in_its_row_counts_like_a_large_one_in_the_store() -> None:
    for _ in range(ENOUGH_SAMPLES // 2):
        record(computed(3.0, inline="{}"), inputs={})
        record(computed(3.0, artifact_key="k"), inputs={})
    assert measured() == {AGENT: Pace(slow=3.0, usual=3.0)}


@pytest.mark.parametrize("what", ["failed", "taken over from another task", "waited for a model"])
def test_what_tells_nothing_about_the_agents_own_time_does_not_count(what: str) -> None:
    for _ in range(ENOUGH_SAMPLES):
        delivered(1.0)
    for _ in range(ENOUGH_SAMPLES):
        if what == "failed":
            record(failed_step(AGENT), inputs={})
        elif what == "waited for a model":
            record(Checkpoint(AGENT, StepStatus.DELIVERED, "f" * 64, 90_000, artifact_key="a long answer"), inputs={})
        else:
            delivered(90.0)
            sql("UPDATE task_steps SET epoch = 0 WHERE duration_ms = 90000")
    assert measured() == {AGENT: Pace(1.0, 1.0)}


def test_only_the_newest_steps_are_remembered() -> None:
    claim = builders.claimed_task()
    sql("""INSERT INTO tasks (id, user_id, tool_id, agents) SELECT gen_random_uuid(), :user_id, 'probe', '{}'
           FROM generate_series(1, :many)""", user_id=claim.user_id, many=2 * STEPS_REMEMBERED)  # fmt: skip
    sql("""INSERT INTO task_steps (task_id, agent_id, epoch, status, fingerprint, duration_ms, peak_memory_bytes,
               finished_at)
           SELECT id, 'old-and-new', 1, 'DELIVERED', 'f', CASE WHEN number > :newest THEN 9000 ELSE 1000 END, 1,
               clock_timestamp() - number * interval '1 second'
           FROM (SELECT id, row_number() OVER () AS number FROM tasks WHERE tool_id = 'probe') t""",
        newest=STEPS_REMEMBERED)  # fmt: skip
    assert measured() == {"old-and-new": Pace(1.0, 1.0)}
    assert sql("SELECT samples FROM agent_paces") == STEPS_REMEMBERED


def ran(megabytes: float, *, mebibytes: float = 1) -> None:
    """A task whose agent took so many MB at its peak."""
    step = Checkpoint(AGENT, StepStatus.DELIVERED, "f" * 64, 1000, peak_memory_bytes=round(megabytes * 1e6))
    record(step, inputs={"primary": [{"size": round(mebibytes * MEBIBYTE)}]})


def memory_line() -> tuple[float, float, float]:
    memory = measured()[AGENT].memory
    assert memory is not None
    return tuple(round(part / 1e6, 3) for part in (memory.base, memory.per_mebibyte, memory.spread))


def test_memory_grows_with_the_data_from_what_the_process_has_anyway() -> None:
    for mebibytes in range(1, ENOUGH_SAMPLES + 1):
        ran(150 + 2 * mebibytes, mebibytes=mebibytes)
    assert memory_line() == (150, 2, 0)


def test_memory_of_files_of_one_size_is_their_median_and_what_one_in_twenty_takes_more() -> None:
    for more in range(21):
        ran(200 + more)
    assert memory_line() == (210, 0, 9)


def test_no_agent_is_expected_to_take_less_memory_for_more_data() -> None:
    for mebibytes in range(1, ENOUGH_SAMPLES + 1):
        ran(300 - mebibytes, mebibytes=mebibytes)
    assert memory_line()[1] == 0


def test_a_step_that_a_customer_named_like_an_agent_teaches_nothing() -> None:
    for _ in range(ENOUGH_SAMPLES):
        delivered(8.0)
        record(computed(0.01), inputs={}, tool_id="customers-own")
    assert measured(("customers-own",)) == {AGENT: Pace(slow=8.0, usual=8.0)}


@on_linux
def test_what_was_known_a_moment_ago_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paces, "_remembered", None)
    assert paces.lately() == {}
    for _ in range(ENOUGH_SAMPLES):
        delivered(1.0)
    measured()
    assert trips_of(paces.lately) == []
    monkeypatch.setattr(paces, "REMEMBERED_SECONDS", -1)
    assert set(paces.lately()) == {AGENT}
