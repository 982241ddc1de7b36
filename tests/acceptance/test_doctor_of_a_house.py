"""The doctor beside a real worker: what that says of itself over the broker, and what it costs there."""

import re

import pytest

from backend.doctor import broker
from backend.doctor.examination import examine
from backend.doctor.finding import Area, Severity
from backend.settings import get_settings
from tests.acceptance.house import House, rebind


def test_a_house_at_work_is_well_and_its_workers_own_timeout_is_heard(
    solo_house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "LISTENED_SECONDS", 2.0)
    monkeypatch.setattr("celery_queue.examination.ASKED_SECONDS", 5.0)
    for name in ("DATABASE_URL", "REDIS_URL", "CELERY_KEY_PREFIX", "EXTRA_TOOLS"):
        monkeypatch.setenv(name, solo_house.environment[name])
    rebind()
    settings, areas = get_settings(), (Area.BROKER, Area.WORKERS)
    try:
        found = examine(settings, areas)
        others = examine(settings.model_copy(update={"celery_visibility_timeout": 900}), (Area.BROKER,))
    finally:
        monkeypatch.undo()
        rebind()
    seen = "\n".join(f"{one.severity} {one.seen}" for one in found)
    assert not [one for one in found if one.severity in {Severity.WRONG, Severity.UNKNOWN}], seen
    assert re.search(r"ok All workers that answered \([1-9]\) have messages redelivered after 3600 s\.", seen), seen
    assert re.search(r"ok [1-9] workers? with [1-9] slots? \(solo\)", seen), seen
    assert re.search(r"carries out [\d,]+ commands a minute; live workers: [1-9]", seen), seen
    told = [one.seen for one in others if one.severity is Severity.WRONG]
    assert len(told) == 1
    assert told[0].startswith("Not all who share the broker redeliver after 900 s:")
    assert "(3600 s)" in told[0]
