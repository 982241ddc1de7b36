"""From any exception to its verdict, by the nearest class in its ancestry.

Classes are named by text, so that the ground imports no client library: an exception can only reach this table
from a library that is imported already. What a service answered, its code and HTTP status, is judged first.
"""

import math
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from backend.clock import now
from backend.errors import (
    AgensiumError,
    AgentCrashed,
    DatabaseUnavailable,
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


# pandas' errors that descend from nothing but Exception; each says that our own code misused it
_PANDAS_MISUSED = (
    *("ClosedFileError", "DataError", "IndexingError", "InvalidComparison", "InvalidIndexError", "LossySetitemError"),
    *("NoBufferPresent", "NumExprClobberingError", "NumbaUtilError", "PossibleDataLossError", "SpecificationError"),
    "UndefinedVariableError",
)
# how pydantic-ai's agents, which we do not use, talk to themselves
_PYDANTIC_AI_FLOW = (
    *("ApprovalRequired", "CallDeferred", "FallbackExceptionGroup", "ModelRetry", "RetryModelRequest"),
    *("SkipModelRequest", "SkipToolExecution", "SkipToolValidation", "ToolFailed", "ToolFailedError", "ToolRetryError"),
)

VERDICTS: Mapping[str, type[AgensiumError]] = {
    # storage
    "botocore.exceptions.BotoCoreError": InternalError,  # mostly what was configured or asked wrongly
    "botocore.exceptions.ClientError": InternalError,  # unless its code or status passes, below
    "botocore.exceptions.ConnectionError": StorageUnavailable,
    "botocore.exceptions.HTTPClientError": StorageUnavailable,
    "botocore.exceptions.IncompleteReadError": StorageUnavailable,
    "botocore.exceptions.ChecksumError": StorageUnavailable,
    "botocore.exceptions.FlexibleChecksumError": StorageUnavailable,
    "botocore.exceptions.CredentialRetrievalError": StorageUnavailable,
    "botocore.exceptions.MetadataRetrievalError": StorageUnavailable,
    "botocore.exceptions.MissingServiceIdError": InternalError,
    "botocore.exceptions.UndefinedModelAttributeError": InternalError,
    "boto3.exceptions.Boto3Error": StorageUnavailable,
    "s3transfer.exceptions.RetriesExceededError": StorageUnavailable,
    "s3transfer.exceptions.S3CopyFailedError": StorageUnavailable,
    "s3transfer.exceptions.S3DownloadFailedError": StorageUnavailable,
    "s3transfer.exceptions.S3UploadFailedError": StorageUnavailable,
    "s3transfer.exceptions.S3ValidationError": InternalError,
    "s3transfer.exceptions.InvalidSubscriberMethodError": InternalError,
    "s3transfer.exceptions.TransferNotDoneError": InternalError,
    "urllib3.exceptions.HTTPError": StorageUnavailable,
    "urllib3.exceptions.LocationValueError": InternalError,
    "http.client.HTTPException": StorageUnavailable,
    # database
    "sqlalchemy.exc.SQLAlchemyError": InternalError,
    "sqlalchemy.exc.OperationalError": DatabaseUnavailable,
    "sqlalchemy.exc.InterfaceError": DatabaseUnavailable,
    "sqlalchemy.exc.InternalError": DatabaseUnavailable,
    "sqlalchemy.exc.DisconnectionError": DatabaseUnavailable,
    "sqlalchemy.exc.TimeoutError": DatabaseUnavailable,
    "sqlalchemy.exc.EmulatedDBAPIException": InternalError,
    "psycopg.Error": InternalError,
    "psycopg.Rollback": InternalError,
    "psycopg.Warning": InternalError,
    "psycopg.OperationalError": DatabaseUnavailable,
    "psycopg.InterfaceError": DatabaseUnavailable,
    "psycopg.InternalError": DatabaseUnavailable,
    # broker
    "redis.exceptions.RedisError": ServiceUnavailable,
    "redis.exceptions.AuthenticationError": InternalError,
    "redis.exceptions.AuthorizationError": InternalError,
    "redis.exceptions.NoPermissionError": InternalError,
    "redis.exceptions.ChildDeadlockedError": InternalError,
    "redis.exceptions.CrossSlotTransactionError": InternalError,
    "redis.exceptions.IncorrectPolicyType": InternalError,
    "redis.exceptions.InvalidPipelineStack": InternalError,
    "redis.exceptions.RedisClusterException": ServiceUnavailable,
    "redis.exceptions.DataError": InternalError,
    "kombu.exceptions.KombuError": InternalError,
    "kombu.exceptions.OperationalError": ServiceUnavailable,
    "kombu.exceptions.HttpError": ServiceUnavailable,
    "amqp.exceptions.AMQPError": ServiceUnavailable,
    "amqp.exceptions.MessageNacked": ServiceUnavailable,
    "celery.exceptions.CeleryError": InternalError,
    "celery.exceptions.BackendError": ServiceUnavailable,
    "click.exceptions.ClickException": InternalError,  # Celery's commands raise it
    # Celery's own outermost net: our limits come first, so reaching it means that we hung
    "billiard.exceptions.SoftTimeLimitExceeded": HardTimeLimit,
    "billiard.exceptions.TimeLimitExceeded": HardTimeLimit,
    "billiard.exceptions.WorkerLostError": WorkerLost,
    "billiard.exceptions.Terminated": WorkerLost,
    "billiard.exceptions.CoroStop": InternalError,
    "billiard.exceptions.RestartFreqExceeded": WorkerLost,
    "multiprocessing.context.ProcessError": WorkerLost,  # billiard raises these too
    # models
    "httpx.HTTPError": ModelUnavailable,
    "httpx.HTTPStatusError": InternalError,  # unless its status passes, below
    "httpx.UnsupportedProtocol": InternalError,
    "httpx.InvalidURL": InternalError,
    "httpx.CookieConflict": InternalError,
    "httpx.StreamError": ModelUnavailable,
    # the door to the models turns these into errors of the tree; what it overlooks is judged here
    "httpx2.HTTPError": ModelUnavailable,
    "httpx2.HTTPStatusError": InternalError,  # unless its status passes, below
    "httpx2.UnsupportedProtocol": InternalError,
    "httpx2.InvalidURL": InternalError,
    "httpx2.CookieConflict": InternalError,
    "httpx2.StreamError": ModelUnavailable,
    "aiohttp.client_exceptions.ClientError": ModelUnavailable,
    "aiohttp.client_exceptions.ClientResponseError": InternalError,
    "aiohttp.client_exceptions.ClientConnectorCertificateError": InternalError,
    "aiohttp.client_exceptions.InvalidURL": InternalError,
    "aiohttp.client_exceptions.NonHttpUrlClientError": InternalError,
    "aiohttp.client_exceptions.ServerFingerprintMismatch": InternalError,
    "aiohttp.client_exceptions.WSMessageTypeError": InternalError,
    "aiohttp._websocket.models.WebSocketError": InternalError,
    "aiohttp.streams.EofStream": InternalError,
    "openai.OpenAIError": InternalError,  # unless its status passes, below
    "openai.APIConnectionError": ModelUnavailable,
    "openai.InternalServerError": ModelUnavailable,
    "openai.RateLimitError": ModelUnavailable,
    "anthropic.AnthropicError": InternalError,  # the same
    "anthropic.APIConnectionError": ModelUnavailable,
    "anthropic.InternalServerError": ModelUnavailable,
    "anthropic.RateLimitError": ModelUnavailable,
    "anthropic.RetryableError": ModelUnavailable,
    "google.genai.errors.APIError": InternalError,
    "google.genai.errors.ServerError": ModelUnavailable,
    "google.genai.errors.ContinuationInterruptedError": ModelUnavailable,
    "pydantic_ai.exceptions.AgentRunError": InternalError,
    "pydantic_ai.exceptions.UnexpectedModelBehavior": ModelUnavailable,
    "pydantic_ai.exceptions.ModelAPIError": ModelUnavailable,
    "pydantic_ai.exceptions.ModelHTTPError": InternalError,  # unless its status passes, below
    **{f"pydantic_ai.exceptions.{name}": InternalError for name in _PYDANTIC_AI_FLOW},
    "jsonschema.exceptions._Error": InternalError,
    "jsonschema.exceptions._RefResolutionError": InternalError,
    "jsonschema.exceptions.FormatError": InternalError,
    "jsonschema.exceptions.UndefinedTypeCheck": InternalError,
    "jsonschema.exceptions.UnknownType": InternalError,
    "referencing.exceptions.CannotDetermineSpecification": InternalError,
    "referencing.exceptions.NoInternalID": InternalError,
    "referencing.exceptions.Unresolvable": InternalError,
    # the customer's data
    "pandas.errors.ParserError": UnreadableFile,
    "pandas.errors.EmptyDataError": UnreadableFile,
    **{f"pandas.errors.{name}": InternalError for name in _PANDAS_MISUSED},
    "pyarrow.lib.ArrowException": InternalError,
    "pyarrow.lib.ArrowInvalid": UnreadableFile,
    "pyarrow.lib.ArrowMemoryError": MemoryLimit,
    "pyarrow.lib.ArrowCapacityError": MemoryLimit,  # an array beyond 2 GiB
    "duckdb.Error": InternalError,  # it only reads tables that intake wrote: what it cannot read is our doing
    "duckdb.OutOfMemoryException": MemoryLimit,
    "duckdb.IOException": ServiceUnavailable,
    "duckdb.InterruptException": TimeLimit,
    "duckdb.Warning": InternalError,
    "python_calamine.CalamineError": UnreadableFile,
    "zipfile.BadZipFile": UnreadableFile,
    "zipfile.LargeZipFile": UnreadableFile,
    "zlib.error": UnreadableFile,
    "gzip.BadGzipFile": UnreadableFile,
    "lzma.LZMAError": UnreadableFile,
    "csv.Error": UnreadableFile,
    "xlsxwriter.exceptions.XlsxWriterException": InternalError,
    "pydantic_core._pydantic_core.ValidationError": InternalError,
    # Python and the operating system
    "builtins.UnicodeDecodeError": UnreadableFile,
    "builtins.MemoryError": MemoryLimit,
    "builtins.ArithmeticError": InternalError,
    "builtins.AssertionError": InternalError,
    "builtins.AttributeError": InternalError,
    "builtins.ImportError": InternalError,
    "builtins.LookupError": InternalError,
    "builtins.RuntimeError": InternalError,
    "builtins.TypeError": InternalError,
    "builtins.ValueError": InternalError,
    "builtins.Warning": InternalError,
    "subprocess.SubprocessError": InternalError,
    "builtins.OSError": ServiceUnavailable,
    "builtins.FileExistsError": InternalError,
    "ssl.SSLCertVerificationError": InternalError,
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
    "concurrent.futures._base.CancelledError": WorkerLost,
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
    kind = _by_response(error) or _nearest(type(error))
    judged = kind(detail=f"{type(error).__name__}: {error}")
    if isinstance(judged, WorldHiccup):
        judged.retry_after = _retry_after(error)
    return judged.verdict


def name_of(kind: type[BaseException]) -> str:
    """As the table writes it: where the class is defined, without the underscore of a compiled module."""
    return f"{kind.__module__.removeprefix('_')}.{kind.__qualname__}"


def _nearest(kind: type[BaseException]) -> type[AgensiumError]:
    for ancestor in kind.__mro__:
        found = VERDICTS.get(name_of(ancestor))
        if found is not None:
            return found
    return InternalError


def _by_response(error: BaseException) -> type[AgensiumError] | None:
    """What a service answered says more than the class: S3's code, or the HTTP status."""
    response: Any = getattr(error, "response", None)
    if not isinstance(response, dict):
        status = getattr(response, "status_code", None) or getattr(error, "status_code", None)
        return ModelUnavailable if status in _PASSING_STATUSES else None
    code = str(response.get("Error", {}).get("Code", ""))
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    passing = code in _S3_PASSING_CODES or status in _PASSING_STATUSES
    return StorageUnavailable if passing else None


def _retry_after(error: BaseException) -> float | None:
    """Seconds until a service wants to be asked again, if it said so: RFC 9110, as a number or as a date."""
    response: Any = getattr(error, "response", None)
    headers = response.get("ResponseMetadata", {}).get("HTTPHeaders") if isinstance(response, dict) else None
    said = (headers or getattr(response, "headers", None) or getattr(error, "headers", None) or {}).get("retry-after")
    return None if said is None else seconds_of(said)


def seconds_of(said: str) -> float | None:
    """A Retry-After's seconds from now, never negative; None where it says nothing of sense."""
    try:
        seconds = float(said)
    except ValueError:
        seconds = _seconds_until(said)
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _seconds_until(date: str) -> float:
    try:
        return parsedate_to_datetime(date).timestamp() - now().timestamp()
    except (ValueError, OverflowError):
        return math.nan
