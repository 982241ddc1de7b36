"""From any exception to its verdict, by the nearest class in its ancestry.

Classes are named by text, so that the ground imports no client library: an exception can only reach this table
from a library that is imported already. A botocore error is judged by its code and HTTP status first.
"""

from collections.abc import Mapping
from typing import Any

from backend.errors import (
    AgensiumError,
    AgentCrashed,
    DatabaseUnavailable,
    ErrorClass,
    HardTimeLimit,
    InternalError,
    MemoryLimit,
    ModelUnavailable,
    StorageUnavailable,
    TimeLimit,
    UnreadableFile,
    Verdict,
    WorkerLost,
    WorldHiccup,
)


class ServiceUnavailable(WorldHiccup):
    """The broker or the operating system hiccuped; nothing the customer knows by name."""

    error_code = "INTERNAL_ERROR"


VERDICTS: Mapping[str, type[AgensiumError]] = {
    # storage
    "botocore.exceptions.BotoCoreError": StorageUnavailable,
    "botocore.exceptions.ClientError": InternalError,
    "botocore.exceptions.HTTPClientError": StorageUnavailable,
    "botocore.exceptions.NoCredentialsError": InternalError,
    "botocore.exceptions.ParamValidationError": InternalError,
    "botocore.exceptions.DataNotFoundError": InternalError,
    "botocore.exceptions.ProfileNotFound": InternalError,
    "boto3.exceptions.Boto3Error": StorageUnavailable,
    "boto3.exceptions.S3UploadFailedError": StorageUnavailable,
    "s3transfer.exceptions.RetriesExceededError": StorageUnavailable,
    "urllib3.exceptions.HTTPError": StorageUnavailable,
    "urllib3.exceptions.LocationValueError": InternalError,
    # database
    "sqlalchemy.exc.SQLAlchemyError": InternalError,
    "sqlalchemy.exc.OperationalError": DatabaseUnavailable,
    "sqlalchemy.exc.InterfaceError": DatabaseUnavailable,
    "sqlalchemy.exc.InternalError": DatabaseUnavailable,
    "sqlalchemy.exc.DisconnectionError": DatabaseUnavailable,
    "sqlalchemy.exc.TimeoutError": DatabaseUnavailable,
    "psycopg.Error": InternalError,
    "psycopg.OperationalError": DatabaseUnavailable,
    "psycopg.InterfaceError": DatabaseUnavailable,
    "psycopg.InternalError": DatabaseUnavailable,
    # broker
    "redis.exceptions.RedisError": ServiceUnavailable,
    "redis.exceptions.AuthenticationError": InternalError,
    "redis.exceptions.DataError": InternalError,
    "kombu.exceptions.KombuError": InternalError,
    "kombu.exceptions.OperationalError": ServiceUnavailable,
    "amqp.exceptions.AMQPError": ServiceUnavailable,
    "celery.exceptions.CeleryError": InternalError,
    "celery.exceptions.BackendError": ServiceUnavailable,
    # Celery's own outermost net: our limits come first, so reaching it means that we hung
    "billiard.exceptions.SoftTimeLimitExceeded": HardTimeLimit,
    "billiard.exceptions.TimeLimitExceeded": HardTimeLimit,
    "billiard.exceptions.WorkerLostError": WorkerLost,
    "billiard.exceptions.Terminated": WorkerLost,
    # models
    "httpx.HTTPError": ModelUnavailable,
    "httpx.InvalidURL": InternalError,
    "httpx.StreamError": ModelUnavailable,
    # the customer's data
    "pandas.errors.ParserError": UnreadableFile,
    "pandas.errors.EmptyDataError": UnreadableFile,
    "pyarrow.lib.ArrowException": InternalError,
    "pyarrow.lib.ArrowInvalid": UnreadableFile,
    "pyarrow.lib.ArrowMemoryError": MemoryLimit,
    "duckdb.Error": InternalError,
    "duckdb.InvalidInputException": UnreadableFile,
    "duckdb.ConversionException": UnreadableFile,
    "duckdb.OutOfMemoryException": MemoryLimit,
    "duckdb.IOException": ServiceUnavailable,
    "duckdb.InterruptException": TimeLimit,
    "python_calamine.CalamineError": UnreadableFile,
    "zipfile.BadZipFile": UnreadableFile,
    "pydantic_core._pydantic_core.ValidationError": InternalError,
    # Python and the operating system
    "builtins.UnicodeDecodeError": UnreadableFile,
    "builtins.MemoryError": MemoryLimit,
    "builtins.RecursionError": InternalError,
    "builtins.OSError": ServiceUnavailable,
    "builtins.PermissionError": InternalError,
    "builtins.FileNotFoundError": InternalError,
    "builtins.IsADirectoryError": InternalError,
    "builtins.NotADirectoryError": InternalError,
    "builtins.TimeoutError": ServiceUnavailable,
    "builtins.ConnectionError": ServiceUnavailable,
    "builtins.Exception": InternalError,
    "builtins.SystemExit": AgentCrashed,
    "builtins.KeyboardInterrupt": WorkerLost,
    "asyncio.exceptions.CancelledError": WorkerLost,
    "builtins.BaseException": InternalError,
}

_S3_PASSING_CODES = frozenset(
    {"InternalError", "ServiceUnavailable", "SlowDown", "RequestTimeout", "Throttling", "ThrottlingException"}
    | {"RequestLimitExceeded", "OperationAborted", "RequestTimeTooSkewed", "BadDigest", "IncompleteBody"}
)
_PASSING_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})


def verdict_for(error: BaseException) -> Verdict:
    """The verdict of our own errors is their own; any other error is judged by its nearest class."""
    if isinstance(error, AgensiumError):
        return error.verdict
    nearest = _by_response(error) or _nearest(type(error))
    return nearest(detail=f"{type(error).__name__}: {error}").verdict


def _nearest(kind: type[BaseException]) -> type[AgensiumError]:
    for ancestor in kind.__mro__:
        found = VERDICTS.get(f"{ancestor.__module__.removeprefix('_')}.{ancestor.__qualname__}")
        if found is not None:
            return found
    return InternalError


def _by_response(error: BaseException) -> type[AgensiumError] | None:
    response: Any = getattr(error, "response", None)
    if not isinstance(response, dict):
        return None
    code = str(response.get("Error", {}).get("Code", ""))
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    passing = code in _S3_PASSING_CODES or status in _PASSING_STATUSES
    return StorageUnavailable if passing else None


def is_final(verdict: Verdict) -> bool:
    """True where trying again cannot help."""
    return verdict.error_class not in {ErrorClass.TRANSIENT, ErrorClass.CRASH}
