"""Every knob once. Values come from the environment, then `.env`, then `.agensium/env` (written by `make dev`).

Production refuses what is only fit for development.
"""

import os
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

DEVELOPMENT_SECRET = "not-a-secret-only-for-development"  # noqa: S105 (refused in production)
KIBIBYTE = 1024


class Settings(BaseSettings):
    """All settings; a field's name in capitals is its environment variable."""

    model_config = SettingsConfigDict(env_file=(".agensium/env", ".env"), extra="ignore", frozen=True)

    # the house
    environment: str = Field("development", pattern="^(development|test|production)$")
    secret_key: SecretStr = Field(SecretStr(DEVELOPMENT_SECRET), description="Signs access tokens.")
    log_level: str = "INFO"
    log_json: bool = Field(default=True, description="JSON lines; false for people.")
    scratch_dir: Path = Field(
        Path(tempfile.gettempdir()) / "agensium-scratch",
        description="Local disk for tables while a task runs.",
    )
    extra_tools: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Tools of your own package, as module:NAME, separated by commas."
    )

    # the memory
    database_url: SecretStr = SecretStr("postgresql://postgres@127.0.0.1:5432/agensium")
    database_pool_size: int = Field(5, ge=1)
    database_connect_timeout: int = Field(5, ge=1, description="Seconds.")

    # the bell
    redis_url: str = Field("", description="The broker; empty: a broker in files, for one machine.")
    broker_dir: Path = Field(Path(".agensium/broker"), description="Where the broker in files lives.")
    celery_worker_concurrency: int = Field(2, ge=1, description="Slots of a worker.")
    celery_worker_max_memory_per_child: int = Field(
        1_000_000, ge=100_000, description="KiB of resident memory that one agent's process may use."
    )
    celery_visibility_timeout: int = Field(3600, ge=60, description="Seconds before Redis redelivers.")
    celery_result_expires: int = Field(86_400, ge=60, description="Seconds Flower's results are kept.")
    celery_key_prefix: str = Field("", description="Separates environments that share one Redis database.")
    celery_polling_interval: float = Field(1.0, gt=0, description="Seconds between looks at an idle broker.")
    celery_queues: str = Field("", description="Queues this worker takes from; empty: all of ours.")

    # the life of a task
    lease_seconds: float = Field(3.0, ge=1, description="A silent worker loses its tasks after this.")
    beat_seconds: float = Field(0.5, gt=0)
    drain_seconds: float = Field(7.0, ge=0, description="Time to reach a checkpoint at shutdown.")
    no_progress_seconds: float | None = Field(None, gt=0, description="Overrides each tool's own.")
    time_limit_seconds: float | None = Field(None, gt=0, description="Overrides each tool's own.")
    hard_limit_grace_seconds: float = Field(60.0, gt=0, description="The hard limit above the soft one.")
    transient_retries: int = Field(8, ge=0, description="Hiccups a task survives before it fails.")
    retry_base_seconds: float = Field(2.0, ge=0)
    retry_cap_seconds: float = Field(300.0, ge=0)
    never_started_hours: float = Field(24.0, gt=0, description="CREATED becomes EXPIRED after this.")

    # the files
    s3_endpoint_url: str | None = Field(None, description="Empty: AWS.")
    s3_public_endpoint_url: str | None = Field(None, description="What presigned links name, if another.")
    s3_bucket: str = "agensium"
    s3_region: str = "us-east-1"
    aws_access_key_id: SecretStr | None = None
    aws_secret_access_key: SecretStr | None = None
    upload_link_seconds: int = Field(900, ge=60)
    download_link_seconds: int = Field(3600, ge=60)

    # the front hall
    api_host: str = "127.0.0.1"
    api_port: int = Field(8000, ge=0, le=65535)
    access_token_minutes: int = Field(15, ge=1)
    refresh_token_days: int = Field(14, ge=1)
    signup_credits: int = Field(0, ge=0, description="Granted to a new customer.")

    @field_validator("extra_tools", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator(
        "s3_endpoint_url", "s3_public_endpoint_url", "no_progress_seconds", "time_limit_seconds",
        "aws_access_key_id", "aws_secret_access_key", mode="before",
    )  # fmt: skip
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return None if value == "" else value

    @model_validator(mode="after")
    def _production_is_safe(self) -> Self:
        if self.environment == "production":
            for fault in self._production_faults():
                raise ValueError(fault)
        return self

    def _production_faults(self) -> list[str]:
        secret = self.secret_key.get_secret_value()
        faults = {
            "SECRET_KEY must be set, to at least 32 random characters": secret == DEVELOPMENT_SECRET
            or len(secret) < 32,  # noqa: PLR2004
            "DATABASE_URL must be set": "database_url" not in self.model_fields_set,
            "REDIS_URL must be set": not self.redis_url,
        }
        return [sentence for sentence, wrong in faults.items() if wrong]

    @property
    def agent_memory_bytes(self) -> int:
        return self.celery_worker_max_memory_per_child * KIBIBYTE


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The process' settings, read once. Tests build their own or clear the cache."""
    return Settings(_env_file=None) if os.environ.get("AGENSIUM_NO_ENV_FILE") else Settings()
