"""What is counted at the ways out of the house, in whichever process asked."""

from enum import StrEnum

from backend.metrics.kinds import STRETCHES, Counter, Histogram, Label


class StorageOperation(StrEnum):
    PUT = "put"
    GET = "get"
    HEAD = "head"
    LIST = "list"
    DELETE = "delete"
    PARTS = "parts"  # of an object that comes in parts
    OTHER = "other"


class StorageFault(StrEnum):
    REFUSED = "refused"  # 4xx, but for what is not there and what was changed meanwhile
    BUSY = "busy"  # 429, 503
    BROKEN = "broken"  # the other 5xx
    UNREACHABLE = "unreachable"  # no connection, or no answer on it


class DatabaseFault(StrEnum):
    UNREACHABLE = "unreachable"
    POOL = "pool"  # every connection of the process was in use for five seconds
    TIMEOUT = "timeout"  # of a statement, a lock or a transaction
    CONFLICT = "conflict"  # a deadlock, or a row that somebody else had just written
    OTHER = "other"


class BrokerOperation(StrEnum):
    RING = "ring"
    CONSUME = "consume"
    RESULT = "result"  # Flower's courtesy


class ModelOutcome(StrEnum):
    ANSWERED = "answered"
    REFUSED = "refused"
    FAILED = "failed"
    LEFT_ALONE = "left_alone"  # not asked, because its breaker is open


class TokenKind(StrEnum):
    READ = "read"
    WRITTEN = "written"


MODEL = Label("model", of="provider:model of MODELS")

STORAGE_CALL = Histogram(
    "agensium_storage_call_seconds",
    "One request to the file store, with its retries; of a file that is read, until it begins to come.",
    (Label("operation", StorageOperation),),
)
STORAGE_FAULTS = Counter(
    "agensium_storage_errors_total",
    "Requests to the file store that failed in the end.",
    (Label("operation", StorageOperation), Label("reason", StorageFault)),
)
DATABASE_FAULTS = Counter(
    "agensium_database_errors_total",
    "Transactions that failed for a reason of the database's.",
    (Label("reason", DatabaseFault),),
)
BROKER_FAULTS = Counter(
    "agensium_broker_errors_total", "What the broker did not do.", (Label("operation", BrokerOperation),)
)
MODEL_CALLS = Counter(
    "agensium_model_calls_total", "Calls to language models, each try.", (MODEL, Label("outcome", ModelOutcome))
)
MODEL_CALL = Histogram("agensium_model_call_seconds", "A call that was answered.", (MODEL,), STRETCHES)
MODEL_TOKENS = Counter(
    "agensium_model_tokens_total",
    "Tokens of answered calls, as the provider counts them.",
    (MODEL, Label("kind", TokenKind)),
)
OF_EVERYBODY = (STORAGE_CALL, STORAGE_FAULTS, DATABASE_FAULTS)
OF_WORKERS = (BROKER_FAULTS, MODEL_CALLS, MODEL_CALL, MODEL_TOKENS)
