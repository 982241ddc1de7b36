"""The chaos list, second part: the broker, the database, the file store, the machine.

The two files take about as long as each other: `make test` gives each to a process of its own.
"""

from collections.abc import Iterator

import pytest

from backend.chaos.broker_faults import BROKER_FAULTS
from backend.chaos.database_faults import DATABASE_FAULTS
from backend.chaos.fault import Fault
from backend.chaos.faults import FAULTS
from backend.chaos.machine_faults import MACHINE_FAULTS
from backend.chaos.process_faults import PROCESS_FAULTS
from backend.chaos.stage import Stage
from backend.chaos.store_faults import STORE_FAULTS
from tests.acceptance.chaos_stage import short_stage, survive

HERE = (*BROKER_FAULTS, *DATABASE_FAULTS, *STORE_FAULTS, *MACHINE_FAULTS)


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with short_stage() as opened:
        yield opened


@pytest.mark.parametrize("fault", HERE, ids=lambda fault: fault.name)
def test_every_invariant_holds_after(fault: Fault, stage: Stage) -> None:
    survive(stage, fault)


def test_no_fault_of_the_list_is_left_out() -> None:
    assert {*HERE, *PROCESS_FAULTS} == set(FAULTS)
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
