"""Every knob once. Values come from the environment, then `.env`, then `.agensium/env` (written by `make dev`).

Production refuses what is only fit for development.
"""

import os
import tempfile
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, SecretStr, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

DEVELOPMENT_SECRET = "not-a-secret-only-for-development"  # noqa: S105 (refused in production)
DEVELOPMENT_DATABASE = "postgresql://postgres@127.0.0.1:5432/agensium"  # the same
SHORTEST_SECRET = 32  # characters; HS256 wants 256 bits
KIBIBYTE = 1024


def _scratch() -> Path:
    return Path(tempfile.gettempdir()) / "agensium-scratch"


class Settings(BaseSettings):
    """All settings; a field's name in capitals is its environment variable. `.env.example` shows each (a test)."""

    model_config = SettingsConfigDict(
        env_file=(".agensium/env", ".env"), extra="ignore", frozen=True, hide_input_in_errors=True
    )

    # the house
    environment: str = Field(
        "development", pattern="^(development|test|production)$", description="development, test or production."
    )
    secret_key: SecretStr = Field(
        SecretStr(DEVELOPMENT_SECRET), description="Signs access tokens; change it: at least 32 random characters."
    )
    secret_key_previous: SecretStr | None = Field(
        None, description="The one before, while SECRET_KEY is exchanged: what it signed is still believed."
    )
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR.")
    log_json: bool = Field(default=True, description="JSON lines; false for people.")
    metrics_port: int = Field(
        0, ge=0, le=65_535, description="Each worker serves its numbers for Prometheus here; 0: nowhere."
    )
    metrics_host: str = Field("127.0.0.1", description="To whom; 0.0.0.0 in a container.")
    scratch_dir: Path = Field(
        default_factory=_scratch,
        description="Local disk for tables while a task runs; empty: in the system's temporary directory.",
    )
    extra_tools: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Tools of your own package, as module:NAME, separated by commas."
    )

    # the memory
    database_url: SecretStr = Field(
        SecretStr(DEVELOPMENT_DATABASE),
        description="PostgreSQL 17 or newer, with pgvector; on another machine over verified TLS, unless the address "
        "says ?sslmode=…; ?sslrootcert=FILE names a private authority.",
    )
    database_pool_size: int = Field(5, ge=1, description="Connections that one process keeps.")
    database_connect_timeout: int = Field(5, ge=1, description="Seconds.")

    # the bell
    redis_url: str = Field(
        "",
        repr=False,
        description="The broker: redis://…, or rediss://…, always verified; ?ssl_ca_certs=FILE names a private "
        "authority. Empty: files, for one machine.",
    )
    broker_dir: Path = Field(Path(".agensium/broker"), description="Where the broker in files lives.")
    celery_worker_concurrency: int = Field(2, ge=1, description="Slots of a worker.")
    celery_worker_max_memory_per_child: int = Field(
        1_000_000, ge=100_000, description="KiB of resident memory that one agent's process may use."
    )
    celery_visibility_timeout: int = Field(3600, ge=60, description="Seconds before Redis redelivers.")
    celery_result_expires: int = Field(86_400, ge=60, description="Seconds Flower's results are kept.")
    celery_key_prefix: str = Field("", description="Separates environments that share one Redis database.")
    celery_polling_interval: float = Field(1.0, gt=0, description="Seconds between looks at an idle broker.")
    celery_queues: str = Field(
        "default",
        description="Queues this worker takes from, separated by commas; high_memory is for workers with a larger "
        "CELERY_WORKER_MAX_MEMORY_PER_CHILD.",
    )

    # the life of a task
    lease_seconds: float = Field(3.0, ge=1, description="A silent worker loses its tasks after this.")
    beat_seconds: float = Field(
        0.5, gt=0, description="Seconds between a worker's signs of life; well under the lease."
    )
    drain_seconds: float = Field(
        6.0, ge=0, description="Time to reach a checkpoint at shutdown; the worker is gone two to three seconds later."
    )
    no_progress_seconds: float | None = Field(None, gt=0, description="Overrides each tool's own; empty: the tool's.")
    no_progress_factor: float = Field(
        10.0, gt=0, description="An agent with a history is ended after this many times its usual time without a word."
    )
    time_limit_seconds: float | None = Field(None, gt=0, description="Overrides each tool's own; empty: the tool's.")
    hard_limit_grace_seconds: float = Field(60.0, gt=0, description="The hard limit above the soft one.")
    transient_retries: int = Field(8, ge=0, description="Hiccups a task survives before it fails.")
    retry_base_seconds: float = Field(2.0, ge=0, description="The longest wait after a first hiccup; then it doubles.")
    retry_cap_seconds: float = Field(300.0, ge=0, description="The longest wait after any hiccup.")
    never_started_hours: float = Field(24.0, gt=0, description="CREATED becomes EXPIRED after this.")
    inputs_kept_days: float = Field(
        7.0, ge=0, le=36_500, description="What was uploaded is removed this long after the end."
    )
    outputs_kept_days: float = Field(
        30.0, ge=0, le=36_500, description="Reports, files and checkpoints are; at least as long."
    )

    # the files
    s3_endpoint_url: str | None = Field(None, pattern="^https?://", description="Empty: AWS.")
    s3_public_endpoint_url: str | None = Field(
        None, pattern="^https?://", description="What presigned links name, if another."
    )
    s3_bucket: str = Field("agensium", description="Holds every customer's inputs, checkpoints and outputs.")
    s3_region: str = Field("us-east-1", description="The bucket's region.")
    aws_access_key_id: SecretStr | None = Field(None, description="Empty: the credentials this machine has (its role).")
    aws_secret_access_key: SecretStr | None = Field(None, description="The same.")
    s3_kms_key_id: str | None = Field(
        None, description="The KMS key with which the store encrypts all that is sent; empty: as the bucket says."
    )
    upload_link_seconds: int = Field(900, ge=60, description="How long an upload form is good.")
    upload_parts_above: int = Field(
        100 * 1024 * KIBIBYTE, ge=5 * 1024 * KIBIBYTE, description="Bytes; a larger file gets a link for each part."
    )
    download_link_seconds: int = Field(3600, ge=60, description="How long a download link is good.")

    # the front hall
    access_token_minutes: int = Field(15, ge=1, description="How long an access token is good.")
    refresh_token_days: int = Field(14, ge=1, description="How long a refresh token is good.")
    signup_credits: int = Field(0, ge=0, description="Granted to a new customer.")
    followed_per_customer: int = Field(
        100, ge=1, description="Event streams and long polls that one customer has open at once, in one API process."
    )
    sign_in_remembered_seconds: float = Field(
        5.0,
        ge=0,
        le=60,
        description="Who polls or follows a task is looked up this often; a revoked key reads on for so long. 0: every "
        "time.",
    )
    requests_per_second: float = Field(
        50.0,
        ge=0,
        description="One customer's requests to one API process, steadily. Polls answered from memory are free. 0: as "
        "many as they like, and as many tries to sign in; production refuses it.",
    )
    requests_at_once: int = Field(500, ge=1, description="How many may come before they are slowed down to that.")
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Origins whose pages may use the API, such as https://app.example.com, separated by commas."
    )
    webhooks_to_loopback: bool = Field(
        default=False, description="Webhooks may go to this machine, over HTTP too; for development only."
    )

    # the language models
    models: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Offered to customers, as provider:model separated by commas; the first is the default. Providers: "
        "openai, anthropic, google, compatible.",
    )
    embedding_model: str = Field(
        "local:hashing-384", description="Makes vectors of texts, as provider:model; local needs no network."
    )
    openai_api_key: SecretStr | None = Field(None, description="For models named openai:….")
    openai_base_url: str | None = Field(None, pattern="^https?://", description="Empty: OpenAI's own.")
    anthropic_api_key: SecretStr | None = Field(None, description="For models named anthropic:….")
    google_api_key: SecretStr | None = Field(None, description="For models named google:….")
    compatible_base_url: str | None = Field(
        None,
        pattern="^https?://",
        description="Any server that speaks OpenAI's protocol (vLLM, Ollama, LM Studio), such as "
        "http://127.0.0.1:11434/v1; for models named compatible:….",
    )
    compatible_api_key: SecretStr | None = Field(None, description="If that server wants one.")
    model_calls_at_once: int = Field(50, ge=1, description="Calls to models that one slot has under way.")
    model_breaker_failures: int = Field(
        10, ge=1, description="So many failed calls one after the other, and a model is left alone for a while."
    )
    model_cool_down_seconds: float = Field(30.0, gt=0, description="That while; then one call tries it.")
    answer_cache_seconds: float = Field(
        0.0, ge=0, description="How long a model's answer is kept for its customer's same question; 0: not at all."
    )

    # the vectors
    vector_store: str = Field(
        "pgvector",
        pattern="^(pgvector|chroma)$",
        description="pgvector: in the database; chroma: in ChromaDB, an extra.",
    )
    chroma_url: str = Field("", description="ChromaDB's server; empty: files, which one process alone may use.")
    chroma_path: Path = Field(Path(".agensium/chroma"), description="Where those files live.")

    @field_validator("extra_tools", "cors_origins", "models", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator(
        "secret_key_previous", "s3_endpoint_url", "s3_public_endpoint_url", "s3_kms_key_id", "no_progress_seconds",
        "time_limit_seconds",
        "aws_access_key_id", "aws_secret_access_key", "openai_api_key", "openai_base_url", "anthropic_api_key",
        "google_api_key", "compatible_base_url", "compatible_api_key", mode="before",
    )  # fmt: skip
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("scratch_dir", "broker_dir", "chroma_path", mode="before")
    @classmethod
    def _empty_is_default(cls, value: object, info: ValidationInfo) -> object:
        """An empty path would mean the working directory."""
        assert info.field_name is not None
        return cls.model_fields[info.field_name].get_default(call_default_factory=True) if value == "" else value

    @model_validator(mode="after")
    def _inputs_go_first(self) -> Self:
        """With its outputs all of a task's files go."""
        if self.outputs_kept_days < self.inputs_kept_days:
            raise ValueError("OUTPUTS_KEPT_DAYS must not be less than INPUTS_KEPT_DAYS")
        return self

    @model_validator(mode="after")
    def _production_is_safe(self) -> Self:
        faults = self.production_faults() if self.environment == "production" else []
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def production_faults(self) -> list[str]:
        """What production refuses, each a sentence without a value."""
        secret, database = self.secret_key.get_secret_value(), self.database_url.get_secret_value()
        previous = self.secret_key_previous.get_secret_value() if self.secret_key_previous else None
        faults = {
            f"SECRET_KEY must be set, to at least {SHORTEST_SECRET} random characters": secret == DEVELOPMENT_SECRET
            or len(secret) < SHORTEST_SECRET,
            "SECRET_KEY_PREVIOUS must not be the one of development, nor shorter than a SECRET_KEY": previous
            is not None
            and (previous == DEVELOPMENT_SECRET or len(previous) < SHORTEST_SECRET),
            "DATABASE_URL must be set": database in {"", DEVELOPMENT_DATABASE},
            "REDIS_URL must be set": not self.redis_url,
            "WEBHOOKS_TO_LOOPBACK must be false": self.webhooks_to_loopback,
            "REQUESTS_PER_SECOND must not be 0, which lets anybody guess passwords": not self.requests_per_second,
        }
        return [sentence for sentence, wrong in faults.items() if wrong]

    @property
    def lease(self) -> timedelta:
        return timedelta(seconds=self.lease_seconds)

    @property
    def agent_memory_bytes(self) -> int:
        return self.celery_worker_max_memory_per_child * KIBIBYTE


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The process' settings, read once. Tests build their own or clear the cache."""
    return Settings(_env_file=None) if os.environ.get("AGENSIUM_NO_ENV_FILE") else Settings()
