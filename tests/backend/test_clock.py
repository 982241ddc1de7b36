from datetime import UTC, timedelta

import pytest
from freezegun import freeze_time

from backend.clock import jitter, monotonic, now


def test_now_is_aware_and_in_utc() -> None:
    assert now().tzinfo is UTC
    assert now().utcoffset() == timedelta(0)


def test_now_is_what_freezing_time_freezes() -> None:
    with freeze_time("2026-02-03 04:05:06"):
        assert now().isoformat() == "2026-02-03T04:05:06+00:00"


def test_monotonic_never_goes_back() -> None:
    seen = [monotonic() for _ in range(1000)]
    assert seen == sorted(seen)


def test_jitter_spreads_over_the_whole_range_and_never_leaves_it() -> None:
    delays = [jitter(300.0) for _ in range(2000)]
    assert all(0 <= delay <= 300 for delay in delays)
    for tenth in range(10):  # a tenth stays empty once in 10^91 runs
        assert any(tenth * 30 <= delay <= (tenth + 1) * 30 for delay in delays), f"nothing in tenth {tenth}"


@pytest.mark.parametrize("ceiling", [0, 0.0])
def test_no_ceiling_is_no_delay(ceiling: float) -> None:
    assert jitter(ceiling) == 0


def test_jitter_differs_between_processes_that_share_a_seed() -> None:
    import random

    state = random.getstate()
    random.seed(1)
    first = [jitter(1.0) for _ in range(5)]
    random.seed(1)
    assert [jitter(1.0) for _ in range(5)] != first
    random.setstate(state)
