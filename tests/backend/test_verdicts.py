import asyncio
import csv
import errno
import gzip
import importlib
import inspect
import subprocess
from datetime import timedelta
from email.utils import format_datetime

import aiohttp
import botocore.exceptions
import duckdb
import httpx
import httpx2
import pandas as pd
import psycopg
import pyarrow as pa
import pytest
import redis
import sqlalchemy.exc
from billiard.exceptions import SoftTimeLimitExceeded, WorkerLostError
from botocore.exceptions import ClientError

from backend.clock import now
from backend.errors import AgentFailed, ErrorClass, InsufficientCredits, MemoryLimit, StorageUnavailable
from backend.verdicts import VERDICTS, name_of, verdict_for

# Where an exception that reaches the edge of a task can come from.
LIBRARIES = (
    "aiohttp", "anthropic._exceptions", "google.genai.errors", "httpx2", "jsonschema.exceptions", "openai._exceptions",
    "pydantic_ai.exceptions", "referencing.exceptions",
    "amqp.exceptions", "billiard.exceptions", "boto3.exceptions", "botocore.exceptions", "celery.exceptions",
    "csv", "duckdb", "gzip", "httpx", "lzma", "xlsxwriter.exceptions",
    "kombu.exceptions", "pandas.errors", "psycopg", "psycopg.errors", "pyarrow", "pyarrow.lib", "python_calamine",
    "redis.exceptions", "s3transfer.exceptions", "sqlalchemy.exc", "urllib3.exceptions", "zipfile", "zlib",
)  # fmt: skip
LEAST = {"builtins.Exception", "builtins.BaseException"}  # these entries would hide a hole


def exceptions_of(module_name: str) -> set[type[BaseException]]:
    """The public exceptions a library defines itself."""
    package = module_name.partition(".")[0]
    members = list(vars(importlib.import_module(module_name)).values())
    kinds = {member for member in members if inspect.isclass(member) and issubclass(member, BaseException)}
    return {kind for kind in kinds if kind.__module__.removeprefix("_").partition(".")[0] == package}


def below(kind: type[BaseException]) -> set[type[BaseException]]:
    return {kind}.union(*(below(child) for child in kind.__subclasses__()))


def entry_of(kind: type[BaseException]) -> str | None:
    return next((name_of(ancestor) for ancestor in kind.__mro__ if name_of(ancestor) in VERDICTS), None)


@pytest.mark.parametrize("library", LIBRARIES)
def test_every_exception_of_a_library_finds_an_entry_nearer_than_exception(library: str) -> None:
    kinds = exceptions_of(library)
    assert kinds, f"{library} defines no exception: the name is wrong"
    assert not {name_of(kind) for kind in kinds if entry_of(kind) in {None, *LEAST}}


def test_every_error_of_the_operating_system_finds_an_entry() -> None:
    assert not {name_of(kind) for kind in below(OSError) if entry_of(kind) in {None, *LEAST}}


@pytest.mark.parametrize("name", sorted(VERDICTS))
def test_every_entry_names_a_class_that_exists_by_its_true_name(name: str) -> None:
    module, _, qualified = name.rpartition(".")
    kind = getattr(importlib.import_module(module), qualified)
    assert name_of(kind) == name, "an alias would never be found: exceptions are looked up by where they are defined"


def refused_by_s3(code: str, status: int) -> botocore.exceptions.ClientError:
    response = {"Error": {"Code": code, "Message": "…"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return botocore.exceptions.ClientError(response, "GetObject")  # type: ignore[arg-type]


def answered(status: int) -> httpx.HTTPStatusError:
    request = httpx.Request("POST", "https://models.example.com/")
    return httpx.HTTPStatusError("…", request=request, response=httpx.Response(status, request=request))


@pytest.mark.parametrize(
    ("error", "error_class", "error_code"),
    [
        (refused_by_s3("SlowDown", 503), ErrorClass.TRANSIENT, "STORAGE_UNAVAILABLE"),
        (refused_by_s3("RequestTimeout", 400), ErrorClass.TRANSIENT, "STORAGE_UNAVAILABLE"),
        (refused_by_s3("Unheard of", 502), ErrorClass.TRANSIENT, "STORAGE_UNAVAILABLE"),
        (refused_by_s3("AccessDenied", 403), ErrorClass.INTERNAL, "INTERNAL_ERROR"),
        (refused_by_s3("NoSuchKey", 404), ErrorClass.INTERNAL, "INTERNAL_ERROR"),
        (botocore.exceptions.NoCredentialsError(), ErrorClass.INTERNAL, "INTERNAL_ERROR"),
        (botocore.exceptions.PartialCredentialsError(provider="env", cred_var="key"), ErrorClass.INTERNAL, None),
        (botocore.exceptions.EndpointConnectionError(endpoint_url="…"), ErrorClass.TRANSIENT, "STORAGE_UNAVAILABLE"),
        (botocore.exceptions.ReadTimeoutError(endpoint_url="…"), ErrorClass.TRANSIENT, "STORAGE_UNAVAILABLE"),
        (sqlalchemy.exc.OperationalError("SELECT", {}, Exception()), ErrorClass.TRANSIENT, "DATABASE_UNAVAILABLE"),
        (sqlalchemy.exc.IntegrityError("INSERT", {}, Exception()), ErrorClass.INTERNAL, "INTERNAL_ERROR"),
        (psycopg.errors.DeadlockDetected(), ErrorClass.TRANSIENT, "DATABASE_UNAVAILABLE"),
        (psycopg.errors.SerializationFailure(), ErrorClass.TRANSIENT, "DATABASE_UNAVAILABLE"),
        (psycopg.errors.AdminShutdown(), ErrorClass.TRANSIENT, "DATABASE_UNAVAILABLE"),
        (psycopg.errors.LockNotAvailable(), ErrorClass.TRANSIENT, "DATABASE_UNAVAILABLE"),
        (psycopg.errors.UndefinedTable(), ErrorClass.INTERNAL, "INTERNAL_ERROR"),
        (redis.ConnectionError(), ErrorClass.TRANSIENT, None),
        (redis.exceptions.BusyLoadingError(), ErrorClass.TRANSIENT, None),
        (redis.AuthenticationError(), ErrorClass.INTERNAL, None),
        (httpx.ReadTimeout("…"), ErrorClass.TRANSIENT, "MODEL_UNAVAILABLE"),
        (answered(503), ErrorClass.TRANSIENT, "MODEL_UNAVAILABLE"),
        (answered(429), ErrorClass.TRANSIENT, "MODEL_UNAVAILABLE"),
        (answered(401), ErrorClass.INTERNAL, "INTERNAL_ERROR"),
        (httpx.InvalidURL("…"), ErrorClass.INTERNAL, None),
        (httpx2.ReadTimeout("…"), ErrorClass.TRANSIENT, "MODEL_UNAVAILABLE"),
        (aiohttp.ServerDisconnectedError(), ErrorClass.TRANSIENT, "MODEL_UNAVAILABLE"),
        (aiohttp.InvalidURL("…"), ErrorClass.INTERNAL, None),
        (SoftTimeLimitExceeded(), ErrorClass.LIMIT, "HARD_TIMEOUT"),
        (WorkerLostError(), ErrorClass.CRASH, "WORKER_LOST"),
        (pd.errors.ParserError(), ErrorClass.USER, "UNREADABLE_FILE"),
        (pd.errors.MergeError(), ErrorClass.INTERNAL, None),
        (pa.ArrowInvalid(), ErrorClass.USER, "UNREADABLE_FILE"),
        (pa.ArrowCapacityError(), ErrorClass.LIMIT, "MEMORY_LIMIT"),
        (pa.ArrowMemoryError(), ErrorClass.LIMIT, "MEMORY_LIMIT"),
        (duckdb.ConversionException(), ErrorClass.INTERNAL, "INTERNAL_ERROR"),
        (duckdb.InvalidInputException(), ErrorClass.INTERNAL, "INTERNAL_ERROR"),
        (duckdb.IOException(), ErrorClass.TRANSIENT, None),
        (duckdb.OutOfMemoryException(), ErrorClass.LIMIT, "MEMORY_LIMIT"),
        (duckdb.BinderException(), ErrorClass.INTERNAL, None),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "…"), ErrorClass.USER, "UNREADABLE_FILE"),
        (MemoryError(), ErrorClass.LIMIT, "MEMORY_LIMIT"),
        (TimeoutError(), ErrorClass.TRANSIENT, None),  # also asyncio's
        (asyncio.CancelledError(), ErrorClass.CRASH, "WORKER_LOST"),
        (gzip.BadGzipFile(), ErrorClass.USER, "UNREADABLE_FILE"),
        (csv.Error("line contains NUL"), ErrorClass.USER, "UNREADABLE_FILE"),
        (ConnectionResetError(), ErrorClass.TRANSIENT, None),
        # another machine, or this one later, has room; the tries are counted
        (OSError(errno.ENOSPC, "No space left on device"), ErrorClass.TRANSIENT, None),
        (PermissionError(), ErrorClass.INTERNAL, None),
        (FileNotFoundError(), ErrorClass.INTERNAL, None),
        (subprocess.TimeoutExpired("…", 1), ErrorClass.INTERNAL, None),
        (KeyError("column"), ErrorClass.INTERNAL, "INTERNAL_ERROR"),
        (SystemExit(1), ErrorClass.CRASH, "AGENT_CRASHED"),
        (KeyboardInterrupt(), ErrorClass.CRASH, "WORKER_LOST"),
    ],
    ids=lambda value: f"{type(value).__name__} {value}" if isinstance(value, BaseException) else None,
)
def test_a_foreign_error_is_answered_by_what_it_means(
    error: BaseException, error_class: ErrorClass, error_code: str | None
) -> None:
    verdict = verdict_for(error)
    assert verdict.error_class == error_class
    assert error_code in {None, verdict.error_code}


def test_pydantic_ais_errors_mean_the_models() -> None:
    from pydantic_ai.exceptions import ModelAPIError, ModelHTTPError  # 1 s, not for every process that collects tests

    for error in (ModelHTTPError(503, "a model"), ModelAPIError("a model", "…")):
        assert verdict_for(error).error_code == "MODEL_UNAVAILABLE"
        assert verdict_for(error).error_class == ErrorClass.TRANSIENT
    assert verdict_for(ModelHTTPError(401, "a model")).error_class == ErrorClass.INTERNAL


def test_a_foreign_errors_own_words_stay_inside() -> None:
    verdict = verdict_for(psycopg.errors.UndefinedTable('relation "secret_table" does not exist'))
    assert "secret_table" in verdict.detail
    assert "secret_table" not in verdict.message + verdict.next_action


def test_numpys_memory_error_is_a_memory_limit() -> None:
    import numpy as np

    with pytest.raises(MemoryError) as caught:
        np.zeros(10**15)
    assert verdict_for(caught.value).error_code == "MEMORY_LIMIT"


def test_what_the_agents_process_judged_is_kept() -> None:
    judged = MemoryLimit(used_mib=900).verdict
    assert verdict_for(AgentFailed(judged)) is judged


def test_a_hiccup_keeps_when_to_try_again() -> None:
    assert verdict_for(StorageUnavailable(retry_after=30)).retry_after == 30


def a_model_and_s3_saying(retry_after: str) -> tuple[Exception, Exception]:
    metadata = {"HTTPStatusCode": 503, "HTTPHeaders": {"retry-after": retry_after}}
    s3 = ClientError({"Error": {"Code": "SlowDown"}, "ResponseMetadata": metadata}, "GetObject")  # type: ignore[arg-type, typeddict-item]
    response = httpx.Response(429, headers={"Retry-After": retry_after})
    return s3, httpx.HTTPStatusError("", request=httpx.Request("POST", "http://127.0.0.1/"), response=response)


@pytest.mark.parametrize(("said", "seconds"), [("7", 7.0), ("0.5", 0.5), ("-3", 0.0)])
def test_the_seconds_a_service_wants_to_be_left_alone_are_kept(said: str, seconds: float) -> None:
    assert [verdict_for(error).retry_after for error in a_model_and_s3_saying(said)] == [seconds, seconds]


@pytest.mark.parametrize(("offset", "least", "most"), [(90, 60, 91), (-90, 0, 0)])
def test_so_is_the_time_at_which_it_wants_to_be_asked_again(offset: int, least: float, most: float) -> None:
    date = format_datetime(now() + timedelta(seconds=offset), usegmt=True)
    for error in a_model_and_s3_saying(date):
        after = verdict_for(error).retry_after
        assert after is not None
        assert least <= after <= most


@pytest.mark.parametrize("said", ["soon", "nan", "inf", "", "Fri, 01 Jan 99999999999999999999 00:00:00 GMT"])
def test_what_cannot_be_understood_is_not_waited_for(said: str) -> None:
    assert [verdict_for(error).retry_after for error in a_model_and_s3_saying(said)] == [None, None]


def test_our_own_error_says_its_own_verdict() -> None:
    verdict = verdict_for(InsufficientCredits(available=1, required=3))
    assert (verdict.error_code, verdict.context) == ("INSUFFICIENT_CREDITS", {"available": 1, "required": 3})


def test_an_unknown_class_is_our_bug() -> None:
    class NobodyKnows(BaseException):
        pass

    assert verdict_for(NobodyKnows()).error_class == ErrorClass.INTERNAL
