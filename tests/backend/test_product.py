from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from backend.dev import env_file
from backend.devstack import Stack
from backend.product import product_environment
from backend.settings import Settings

STACK = cast(
    "Stack", SimpleNamespace(environment=lambda: {"DATABASE_URL": "postgresql://ours", "AWS_ACCESS_KEY_ID": "x"})
)


def test_what_would_lead_elsewhere_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "CELERY_BROKER_URL", "CELERY_QUEUES"):
        monkeypatch.setenv(name, "astray")
    monkeypatch.setenv("DATABASE_URL", "postgresql://astray")
    monkeypatch.setenv("ENVIRONMENT", "production")
    environment = product_environment(STACK)
    assert "astray" not in " ".join(environment.values())
    assert (environment["DATABASE_URL"], environment["ENVIRONMENT"]) == ("postgresql://ours", "development")


def test_a_proxy_of_the_machine_is_not_asked_for_the_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example.com:3128")
    assert product_environment(STACK)["NO_PROXY"] == "127.0.0.1"


def test_settings_read_what_the_env_file_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "BROKER_DIR"):
        monkeypatch.delenv(name, raising=False)
    file = tmp_path / "env"
    values = {"DATABASE_URL": "postgresql://postgres:p$x#y@127.0.0.1:1/agensium", "BROKER_DIR": r"C:\new folder\to"}
    with env_file(file, values):
        read = Settings(_env_file=file)
        assert read.database_url.get_secret_value() == values["DATABASE_URL"]
        assert str(read.broker_dir) == values["BROKER_DIR"]
        assert file.stat().st_mode & 0o077 == 0
    assert not file.exists()
