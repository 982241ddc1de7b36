"""What is looked at on this machine alone: settings, scratch, models' keys."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from judged import judged, said, severities

from backend.doctor import models, scratch
from backend.doctor import settings as doctor
from backend.doctor.finding import Severity
from tests.model_server import ModelServer, failing

WRONG, ADVICE, OK, UNKNOWN = Severity.WRONG, Severity.ADVICE, Severity.OK, Severity.UNKNOWN
SAFE: dict[str, Any] = {"environment": "production", "s3_endpoint_url": "https://s3.example.com"}


def test_productions_settings_are_well() -> None:
    assert [one.severity for one in judged(doctor.look, **SAFE)] == [OK]


def test_outside_of_production_what_it_would_refuse_is_told() -> None:
    found = judged(doctor.look, **SAFE | {"environment": "development", "redis_url": ""})
    assert said(found, ADVICE, "ENVIRONMENT is development: unsafe settings are not refused.")
    assert "REDIS_URL must be set" in found[0].seen


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"s3_public_endpoint_url": "http://files.example.com"}, "links name http://files.example.com."),
        ({"cors_origins": ("*",)}, "pages of every origin"),
        ({"lease_seconds": 1.0, "beat_seconds": 0.5}, "fewer than 3 beats"),
    ],
    ids=["plain links", "every origin", "few beats"],
)
def test_a_setting_that_is_hardly_meant_is_wrong(changes: dict[str, Any], words: str) -> None:
    assert said(judged(doctor.look, **SAFE | changes), WRONG, words)


def test_links_to_the_loopback_are_for_a_trial_on_one_machine() -> None:
    changes = SAFE | {"s3_public_endpoint_url": "http://localhost:8333"}
    assert said(
        judged(doctor.look, **changes), ADVICE, "Links name http://localhost:8333: only customers on this machine"
    )


def test_scratch_with_room_is_well_and_left_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "disk_partitions", lambda **_: [mount("/", "ext4")])
    monkeypatch.setattr(psutil, "disk_usage", lambda _: SimpleNamespace(free=2**50))
    assert said(judged(scratch.look, scratch_dir=tmp_path / "new"), OK, f"{tmp_path}/new has 1048576.0 GiB free")
    assert list((tmp_path / "new").iterdir()) == []


@pytest.mark.parametrize(("free", "severity"), [(2**20, WRONG), (6 * 2**30, ADVICE), (2**40, OK)])
def test_scratch_is_measured_by_the_largest_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, severity: Severity
) -> None:
    """master-my-data takes 1,000 MiB: four times that for each of the slots."""
    monkeypatch.setattr(psutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    assert said(judged(scratch.look, scratch_dir=tmp_path, celery_worker_concurrency=4), severity, "GiB free")


@pytest.mark.parametrize(("kind", "severity"), [("nfs4", WRONG), ("tmpfs", ADVICE)])
def test_scratch_on_another_machine_or_in_memory_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, severity: Severity
) -> None:
    monkeypatch.setattr(psutil, "disk_partitions", lambda **_: [mount(str(tmp_path), kind), mount("/", "ext4")])
    assert said(judged(scratch.look, scratch_dir=tmp_path / "new"), severity, f"({kind})")


def mount(where: str, kind: str) -> SimpleNamespace:
    return SimpleNamespace(mountpoint=where, fstype=kind)


def test_scratch_that_cannot_be_written_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert said(judged(scratch.look, scratch_dir=tmp_path / "file"), WRONG, "Nothing can be written to")


def test_each_offered_model_needs_its_providers_key(model_server: ModelServer) -> None:
    found = judged(models.look, models=("compatible:tiny", "openai:gpt"), openai_api_key=None)
    assert said(found, OK, "compatible:tiny can be asked.")
    assert said(found, WRONG, "openai:gpt cannot be asked. No key is set up")
    assert model_server.calls == 0, "to ask costs money"
    assert severities(judged(models.look, models=()), WRONG, ADVICE, UNKNOWN) == []


def test_on_request_each_model_is_asked_for_a_word(model_server: ModelServer) -> None:
    asked: dict[str, Any] = {"models": ("compatible:tiny", "openai:gpt"), "openai_api_key": None}
    assert said(judged(models.ask, **asked), OK, "compatible:tiny answered in")
    assert model_server.calls == 1
    model_server.script("Say the word", failing(401, None))
    assert said(judged(models.ask, **asked), WRONG, "compatible:tiny does not answer")
