import socket
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import pytest

from backend.metrics.tally import TALLY
from backend.ports import LOOPBACK, free_port
from backend.settings import Settings
from celery_queue import worker_metrics
from tests.conftest import forget_settings


def settings(port: int) -> Settings:
    return Settings(_env_file=None, metrics_port=port)


def scraped(port: int) -> str:
    with urllib.request.urlopen(f"http://{LOOPBACK}:{port}/metrics", timeout=10) as answer:
        text: str = answer.read().decode()
        return text


def test_the_numbers_of_a_worker_are_served_on_the_loopback() -> None:
    TALLY.take()  # what other tests counted
    port = free_port()
    server = worker_metrics.listen(settings(port), slots=3)
    told = scraped(port).splitlines()
    server.shutdown()
    server.server_close()
    assert "agensium_worker_slots 3.0" in told
    assert "agensium_worker_draining 0.0" in told
    assert 'agensium_rounds_total{outcome="failed"} 0.0' in told
    assert any(line.startswith("agensium_scratch_free_bytes ") for line in told)
    assert server.server_address[0] == LOOPBACK


def test_a_port_that_is_taken_keeps_no_worker_from_working(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        monkeypatch.setenv("METRICS_PORT", str(taken.getsockname()[1]))
        forget_settings()
        controller = SimpleNamespace(pool_cls="solo", concurrency=1)
        worker_metrics.serve(sender=SimpleNamespace(controller=controller))
    monkeypatch.undo()
    forget_settings()


def test_without_the_setting_nothing_listens_and_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_metrics, "listen", lambda *_, **__: pytest.fail("it listens"))
    worker_metrics.prepare(sender=SimpleNamespace(pool_cls="prefork"))
    worker_metrics.serve(sender=SimpleNamespace(controller=SimpleNamespace(pool_cls="prefork", concurrency=2)))
    assert worker_metrics._slots == []


def test_without_its_disk_a_worker_tells_the_other_numbers(tmp_path: Path) -> None:
    (tmp_path / "a file").touch()
    nowhere = Settings(_env_file=None, scratch_dir=tmp_path / "a file" / "scratch")
    assert [level.gauge.name for level in worker_metrics._levels(nowhere, 2)] == [
        "agensium_worker_slots",
        "agensium_worker_draining",
    ]
