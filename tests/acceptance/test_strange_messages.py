"""What is not ours in the broker: it runs nothing, and the worker goes on with what is."""

import os
import pickle
import uuid
from pathlib import Path

from kombu import Connection, Exchange

from tests.acceptance.house import House


class Harmful:
    def __init__(self, trace: Path) -> None:
        self._trace = trace

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self._trace),)


def put(house: House, body: bytes, content_type: str, **more: object) -> None:
    headers = {"lang": "py", "task": "process_analysis", "id": str(uuid.uuid4()), "argsrepr": "", "kwargsrepr": ""}
    options = {"global_keyprefix": house.environment["CELERY_KEY_PREFIX"]}
    broker = Connection(house.environment["REDIS_URL"], transport_options=options)
    with broker as connection, connection.Producer() as producer:
        producer.publish(
            body, exchange=Exchange("default", type="direct"), routing_key="default", headers=headers | more,
            content_type=content_type, content_encoding="binary" if "pickle" in content_type else "utf-8",
            correlation_id=headers["id"],
        )  # fmt: skip


def test_a_worker_unpickles_nothing_and_takes_no_notice_of_what_it_does_not_know(
    solo_house: House, tmp_path: Path
) -> None:
    trace, worker = tmp_path / "it-was-run", solo_house.worker.pid
    put(solo_house, pickle.dumps(Harmful(trace)), "application/x-python-serialize")
    put(solo_house, b"!!python/object/apply:os.mkdir ['%s']" % str(trace).encode(), "application/x-yaml")
    put(solo_house, b'[["no id", 0], {"foreign": true}, {"chain": null}]', "application/json")
    put(solo_house, b"[[], {}, {}]", "application/json", task="os.system")

    task = solo_house.ended(solo_house.submit())

    assert task["status"] == "COMPLETED"
    assert solo_house.worker.running
    assert solo_house.worker.pid == worker
    assert not trace.exists()


def test_such_a_message_would_do_harm_where_it_is_unpickled(tmp_path: Path) -> None:
    pickle.loads(pickle.dumps(Harmful(tmp_path / "it-was-run")))  # noqa: S301 (our own)
    assert (tmp_path / "it-was-run").exists()
