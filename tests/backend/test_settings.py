from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from backend.settings import DEVELOPMENT_DATABASE, DEVELOPMENT_SECRET, Settings, get_settings

SAFE = {
    "environment": "production",
    "secret_key": "a-secret-of-at-least-32-random-characters",
    "database_url": "postgresql://agensium@db.example.com/agensium",
    "redis_url": "rediss://cache.example.com:6379/0",
}


@pytest.fixture(autouse=True)
def no_settings_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def settings(**values: Any) -> Settings:
    return Settings(_env_file=None, **values)


def test_production_accepts_what_is_safe() -> None:
    assert settings(**SAFE).environment == "production"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"secret_key": DEVELOPMENT_SECRET}, "SECRET_KEY"),
        ({"secret_key": "short"}, "SECRET_KEY"),
        ({"secret_key": "31-characters-are-one-too-few-."}, "SECRET_KEY"),
        ({"secret_key_previous": DEVELOPMENT_SECRET}, "SECRET_KEY_PREVIOUS"),
        ({"secret_key_previous": "short"}, "SECRET_KEY_PREVIOUS"),
        ({"database_url": DEVELOPMENT_DATABASE}, "DATABASE_URL"),
        ({"database_url": ""}, "DATABASE_URL"),
        ({"redis_url": ""}, "REDIS_URL"),
        ({"requests_per_second": 0}, "REQUESTS_PER_SECOND"),
    ],
)
def test_production_refuses_an_unsafe_value_by_name(change: dict[str, str], named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        settings(**SAFE | change)


def test_production_refuses_a_database_that_nobody_named() -> None:
    with pytest.raises(ValidationError, match="DATABASE_URL"):
        settings(**{name: value for name, value in SAFE.items() if name != "database_url"})


def test_production_names_every_fault_at_once_and_repeats_no_secret() -> None:
    with pytest.raises(ValidationError, match=r"SECRET_KEY.*REDIS_URL") as caught:
        settings(**SAFE | {"secret_key": "too-short-a-secret", "redis_url": ""})
    assert "too-short-a-secret" not in str(caught.value)
    assert "db.example.com" not in str(caught.value)


def test_development_starts_with_no_setting_at_all() -> None:
    assert settings().environment == "development"


def test_a_misspelt_environment_is_refused() -> None:
    with pytest.raises(ValidationError):
        settings(environment="prod")


def test_secrets_are_not_shown() -> None:
    secrets = {
        "secret_key": "a-secret-of-at-least-32-random-characters",
        "database_url": "postgresql://agensium:pg-password@db.example.com/agensium",
        "redis_url": "rediss://:redis-password@cache.example.com:6379/0",
        "aws_secret_access_key": "aws-very-secret",
    }
    shown = repr(settings(**secrets)) + str(settings(**secrets))
    for secret in ("at-least-32", "pg-password", "redis-password", "aws-very-secret"):
        assert secret not in shown


def test_an_empty_variable_means_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("S3_ENDPOINT_URL", "TIME_LIMIT_SECONDS", "AWS_ACCESS_KEY_ID"):
        monkeypatch.setenv(name, "")
    found = settings()
    assert (found.s3_endpoint_url, found.time_limit_seconds, found.aws_access_key_id) == (None, None, None)


def test_an_empty_path_means_its_default_not_the_working_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    untouched = settings()
    for name in ("SCRATCH_DIR", "BROKER_DIR"):
        monkeypatch.setenv(name, "")
    assert (settings().scratch_dir, settings().broker_dir) == (untouched.scratch_dir, untouched.broker_dir)


def test_nobody_changes_a_setting_at_run_time() -> None:
    with pytest.raises(ValidationError):
        settings().signup_credits = 5  # type: ignore[misc]


def test_extra_tools_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXTRA_TOOLS", "mine.tools:ONE, mine.tools:TWO,")
    assert settings().extra_tools == ("mine.tools:ONE", "mine.tools:TWO")


def test_the_environment_comes_before_the_env_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".agensium").mkdir()
    (tmp_path / ".agensium" / "env").write_text("S3_BUCKET=of-make-dev\nDATABASE_POOL_SIZE=11\nSIGNUP_CREDITS=1\n")
    (tmp_path / ".env").write_text("DATABASE_POOL_SIZE=12\nSIGNUP_CREDITS=2\n")
    monkeypatch.setenv("SIGNUP_CREDITS", "3")
    found = Settings()
    assert (found.s3_bucket, found.database_pool_size, found.signup_credits) == ("of-make-dev", 12, 3)


def test_tests_read_no_developers_env_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("S3_BUCKET=somebody's\n")
    get_settings.cache_clear()
    try:
        assert get_settings().s3_bucket == "agensium"
    finally:
        get_settings.cache_clear()


def test_outputs_are_kept_at_least_as_long_as_inputs() -> None:
    assert settings(inputs_kept_days=2, outputs_kept_days=2).outputs_kept_days == 2
    with pytest.raises(ValidationError, match="OUTPUTS_KEPT_DAYS must not be less"):
        settings(outputs_kept_days=6)
    with pytest.raises(ValidationError, match="36500"):
        settings(outputs_kept_days=1e9)  # a century is for ever; more is before the calendar begins


def test_the_memory_limit_is_counted_in_kibibytes() -> None:
    assert settings(celery_worker_max_memory_per_child=200_000).agent_memory_bytes == 200_000 * 1024


def test_offered_models_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELS", "openai:gpt, compatible:llama3:8b ,")
    assert settings().models == ("openai:gpt", "compatible:llama3:8b")


@pytest.mark.parametrize("name", ["openai_base_url", "compatible_base_url"])
def test_a_models_server_is_named_by_an_address(name: str) -> None:
    assert getattr(settings(**{name: "http://127.0.0.1:11434/v1"}), name)
    assert getattr(settings(**{name: ""}), name) is None
    with pytest.raises(ValidationError):
        settings(**{name: "127.0.0.1:11434"})


def test_a_models_key_is_shown_to_nobody() -> None:
    named = ("openai_api_key", "anthropic_api_key", "google_api_key", "compatible_api_key")
    assert "a-key-of-ours" not in repr(settings(**dict.fromkeys(named, "a-key-of-ours")))
