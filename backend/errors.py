"""What can go wrong, as one tree; who is to mend it, as one closed set.

    AgensiumError                    carries error_code, a public sentence, a next action
    ├── CustomerError                USER: the customer can mend it
    │   ├── NotFound                 NOT_FOUND             404
    │   │   ├── TaskNotFound         TASK_NOT_FOUND        404 (also another customer's task)
    │   │   ├── OutputNotFound       OUTPUT_NOT_FOUND      404
    │   │   ├── CollectionNotFound   COLLECTION_NOT_FOUND  404 (also another customer's collection)
    │   │   └── UserNotFound         USER_NOT_FOUND        404
    │   ├── Unauthenticated          NOT_AUTHENTICATED     401
    │   ├── Forbidden                FORBIDDEN             403
    │   │   └── ScopeTooSmall        SCOPE_TOO_SMALL       403 (of the API key)
    │   ├── Conflict                 CONFLICT              409
    │   │   ├── EmailTaken           EMAIL_TAKEN           409
    │   │   ├── InvalidTaskState     INVALID_TASK_STATE    409
    │   │   ├── TaskNotCancellable   TASK_NOT_CANCELLABLE  409
    │   │   ├── CollectionNotActive  COLLECTION_NOT_ACTIVE 409
    │   │   ├── EmbeddingMismatch    EMBEDDING_MISMATCH    409
    │   │   ├── RequestInFlight      REQUEST_IN_FLIGHT     409
    │   │   └── ToolUnavailable      TOOL_UNAVAILABLE      409 (a model that it asks is not set up here)
    │   ├── ResultsExpired           RESULTS_EXPIRED       410
    │   ├── InsufficientCredits      INSUFFICIENT_CREDITS  402
    │   ├── UnknownTool              UNKNOWN_TOOL          422 (named in a body)
    │   │   └── NoSuchTool           UNKNOWN_TOOL          404 (named in the address)
    │   ├── UnknownAgent             UNKNOWN_AGENT         422
    │   ├── BadParameters            BAD_PARAMETERS        422
    │   ├── DependencyFailed         DEPENDENCY_FAILED     422 (a step, because one that it comes after failed)
    │   ├── BadRequest               BAD_REQUEST           422
    │   │   ├── MethodNotAllowed     METHOD_NOT_ALLOWED    405
    │   │   ├── BodyTooLarge         BODY_TOO_LARGE        413
    │   │   └── RangeNotSatisfiable  RANGE_NOT_SATISFIABLE 416
    │   ├── IdempotencyMismatch      IDEMPOTENCY_MISMATCH  422
    │   ├── NoInputFiles             NO_INPUT_FILES        422
    │   ├── MissingInputRole         MISSING_INPUT_ROLE    422
    │   ├── FileTooLarge             FILE_TOO_LARGE        413
    │   ├── UnsupportedFormat        UNSUPPORTED_FORMAT    415
    │   ├── UnreadableFile           UNREADABLE_FILE       422
    │   ├── ModelRefused             MODEL_REFUSED         422
    │   ├── AnswerInvalid            ANSWER_INVALID        422
    │   ├── NoAnswers                NO_ANSWERS            422
    │   ├── NothingIngested          NOTHING_INGESTED      422
    │   └── TooManyRequests          TOO_MANY_REQUESTS     429
    │       ├── TooManyFollowed      TOO_MANY_FOLLOWED     429
    │       └── TooManyUploads       TOO_MANY_UPLOADS      429
    ├── WorldHiccup                  TRANSIENT: the same thing may go well later
    │   ├── StorageUnavailable       STORAGE_UNAVAILABLE   503
    │   ├── DatabaseUnavailable      DATABASE_UNAVAILABLE  503
    │   ├── ModelUnavailable         MODEL_UNAVAILABLE     503
    │   └── WorkerStalled            WORKER_STALLED        503
    ├── LimitReached                 LIMIT: too long, too big, no progress
    │   ├── TimeLimit                TIMEOUT
    │   ├── HardTimeLimit            HARD_TIMEOUT
    │   ├── MemoryLimit              MEMORY_LIMIT
    │   └── NoProgress               NO_PROGRESS
    ├── Crashed                      CRASH: a process died
    │   ├── AgentCrashed             AGENT_CRASHED
    │   └── WorkerLost               WORKER_LOST
    ├── Cancelled                    CANCELLED: asked to stop
    ├── Expired                      EXPIRED: never started
    ├── InternalError                INTERNAL_ERROR: our bug
    ├── AgentFailed                  an agent's own verdict, brought over from the child process
    └── Interruption                 no failure: the claim ends without a verdict
        ├── ClaimLost                another epoch owns the row
        ├── HandBack                 the row goes back to QUEUED (no beat for a lease)
        │   └── Drained              … because the worker shuts down
        ├── Reroute                  the row goes to the queue of workers that give more memory
        └── Waiting                  the row waits for its children

Each error says two things: `str(error)` is safe to show; `detail` stays in the log and on the row.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, ClassVar


class ErrorClass(StrEnum):
    """How a failure is answered; the table is DESIGN §5.8."""

    USER = "USER"
    TRANSIENT = "TRANSIENT"
    LIMIT = "LIMIT"
    CRASH = "CRASH"
    CANCELLED = "CANCELLED"
    INTERNAL = "INTERNAL"


RETRY_LATER = "Retry the task later; what it has finished is neither done nor paid again."


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one failure is answered. `message` and `next_action` are public, `detail` is not."""

    error_class: ErrorClass
    error_code: str
    message: str
    next_action: str
    recoverable: bool
    detail: str = ""
    retry_after: float | None = None
    context: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """What a customer's data brought in must not keep the verdict from being written down."""
        for name in ("message", "detail"):
            object.__setattr__(self, name, writable(getattr(self, name)))

    @property
    def final(self) -> "Verdict":
        """When no try is left: a hiccup that outlasted them all is not tried again by us."""
        if self.error_class is not ErrorClass.TRANSIENT:
            return self
        return replace(self, error_class=ErrorClass.LIMIT, next_action=RETRY_LATER)


def writable(words: str) -> str:
    """Text as any database takes it: without NUL, half a surrogate pair as a question mark."""
    return words.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


class AgensiumError(Exception):
    """The root. A subclass is a row of the table above; an instance adds a sentence and a context."""

    error_class: ClassVar[ErrorClass] = ErrorClass.INTERNAL
    error_code: ClassVar[str] = "INTERNAL_ERROR"
    http_status: ClassVar[int] = 500
    message: ClassVar[str] = "Something went wrong on our side."
    next_action: ClassVar[str] = "Try again; if it happens again, tell us the task's id."
    recoverable: ClassVar[bool] = False
    retry_after: float | None = None

    def __init__(self, message: str = "", *, detail: str = "", **context: Any) -> None:
        super().__init__(message or self.message)
        self.detail = detail
        self.context = context

    @property
    def verdict(self) -> Verdict:
        return Verdict(
            error_class=self.error_class,
            error_code=self.error_code,
            message=str(self),
            next_action=self.next_action,
            recoverable=self.recoverable,
            detail=self.detail,
            retry_after=self.retry_after,
            context=self.context,
        )


class CustomerError(AgensiumError):
    error_class = ErrorClass.USER
    http_status = 422
    recoverable = True


class NotFound(CustomerError):
    error_code = "NOT_FOUND"
    http_status = 404
    message = "There is nothing at this address."
    next_action = "Check the address."


class TaskNotFound(NotFound):
    error_code = "TASK_NOT_FOUND"
    message = "There is no such task."
    next_action = "Check the task id; GET /tasks lists yours."


class OutputNotFound(NotFound):
    error_code = "OUTPUT_NOT_FOUND"
    message = "The task has no output of this name."
    next_action = "GET /tasks/{id}/outputs lists the files."


class CollectionNotFound(NotFound):
    error_code = "COLLECTION_NOT_FOUND"
    message = "There is no such collection."
    next_action = "Check the name; GET /collections lists yours."


class UserNotFound(NotFound):
    error_code = "USER_NOT_FOUND"
    message = "There is no such user."
    next_action = "Check the user id."


class Unauthenticated(CustomerError):
    error_code = "NOT_AUTHENTICATED"
    http_status = 401
    message = "Sign in first: the token or key is missing, wrong or too old."
    next_action = "Sign in with POST /auth/login, or refresh the token."


class Forbidden(CustomerError):
    error_code = "FORBIDDEN"
    http_status = 403
    message = "Your role may not do this."
    next_action = "Ask an administrator."


class ScopeTooSmall(Forbidden):
    error_code = "SCOPE_TOO_SMALL"
    message = "The API key's scope does not allow this."
    next_action = "Use a key of a wider scope, or sign in with POST /auth/login."


class Conflict(CustomerError):
    error_code = "CONFLICT"
    http_status = 409
    message = "This does not fit the present state."
    next_action = "Read the present state and decide again."


class EmailTaken(Conflict):
    error_code = "EMAIL_TAKEN"
    message = "An account with this address exists already."
    next_action = "Sign in, or register with another address."


class InvalidTaskState(Conflict):
    error_code = "INVALID_TASK_STATE"
    message = "The task's state does not allow this."
    next_action = "GET the task to see its state; a finished task is retried as a new one."


class TaskNotCancellable(Conflict):
    error_code = "TASK_NOT_CANCELLABLE"
    message = "The task has ended already and cannot be cancelled."
    next_action = "GET the task to see how it ended."


class CollectionNotActive(Conflict):
    error_code = "COLLECTION_NOT_ACTIVE"
    message = "Nothing can be found in the collection yet."
    next_action = "GET /collections/{name} shows how far its ingest is; search when it is active."


class EmbeddingMismatch(Conflict):
    error_code = "EMBEDDING_MISMATCH"
    message = "The collection's vectors come from another embedding model."
    next_action = "Ingest with the collection's own model, or into another collection."


class RequestInFlight(Conflict):
    error_code = "REQUEST_IN_FLIGHT"
    message = "The same request, with the same Idempotency-Key, is being answered right now."
    next_action = "Wait a moment and send it again with the same key."


class ToolUnavailable(Conflict):
    error_code = "TOOL_UNAVAILABLE"
    message = "A model that the tool asks is not set up here."
    next_action = "Name a model that GET /tools offers, or ask the operator to set one up."


class ResultsExpired(CustomerError):
    error_code = "RESULTS_EXPIRED"
    http_status = 410
    message = "The task's files are no longer kept."
    next_action = "Create a new task and upload the data again."


class InsufficientCredits(CustomerError):
    error_code = "INSUFFICIENT_CREDITS"
    http_status = 402
    message = "There are not enough credits for the chosen agents."
    next_action = "Add credits or choose fewer agents."


class UnknownTool(CustomerError):
    error_code = "UNKNOWN_TOOL"
    message = "There is no such tool."
    next_action = "GET /tools lists the tools there are."


class NoSuchTool(UnknownTool):
    http_status = 404


class UnknownAgent(CustomerError):
    error_code = "UNKNOWN_AGENT"
    message = "The tool has no such agent."
    next_action = "GET /tools/{id} lists the tool's agents."


class BadParameters(CustomerError):
    error_code = "BAD_PARAMETERS"
    message = "A parameter is not valid."
    next_action = "GET /tools/{id} shows each parameter's type and range."


class DependencyFailed(CustomerError):
    error_code = "DEPENDENCY_FAILED"
    message = "A step that this one comes after failed."
    next_action = "Mend the step that failed; a retry asks no finished step again."


class BadRequest(CustomerError):
    error_code = "BAD_REQUEST"
    message = "The request is not valid."
    next_action = "The context names each field at fault; /docs shows the expected form."


class MethodNotAllowed(BadRequest):
    error_code = "METHOD_NOT_ALLOWED"
    http_status = 405
    message = "This address does not take this method."
    next_action = "/docs lists each address with its methods."


class BodyTooLarge(BadRequest):
    error_code = "BODY_TOO_LARGE"
    http_status = 413
    message = "The request's body is larger than we read."
    next_action = "Send data as an upload (POST /tasks/{id}/upload-urls), never in a request's body."


class RangeNotSatisfiable(BadRequest):
    error_code = "RANGE_NOT_SATISFIABLE"
    http_status = 416
    message = "The file has no such bytes."
    next_action = "The context names the file's size."


class IdempotencyMismatch(CustomerError):
    error_code = "IDEMPOTENCY_MISMATCH"
    message = "This Idempotency-Key was used before with another request."
    next_action = "Use a new key for a new request."


class NoInputFiles(CustomerError):
    error_code = "NO_INPUT_FILES"
    message = "The task has no input file."
    next_action = "Upload the files, then process the task."


class MissingInputRole(CustomerError):
    error_code = "MISSING_INPUT_ROLE"
    message = "A file that the chosen agents need is missing."
    next_action = "Upload a file for the role, or choose agents that do not need it."


class FileTooLarge(CustomerError):
    error_code = "FILE_TOO_LARGE"
    http_status = 413
    message = "The file is larger than this tool accepts."
    next_action = "Split the file or send a smaller one."


class UnsupportedFormat(CustomerError):
    error_code = "UNSUPPORTED_FORMAT"
    http_status = 415
    message = "This tool does not read files of this format."
    next_action = "Save the data in one of the tool's formats; GET /tools/{id} lists them."


class UnreadableFile(CustomerError):
    error_code = "UNREADABLE_FILE"
    message = "The file could not be read."
    next_action = "Open the file, mend what the message names, and upload it again."


class ModelRefused(CustomerError):
    """The provider did not take the question as it is; another try would meet the same answer."""

    error_code = "MODEL_REFUSED"
    message = "The language model did not accept the request."
    next_action = "Change the prompt, its length or the options, then try again."


class AnswerInvalid(CustomerError):
    """Also after its repairs the model's answer does not fit the schema."""

    error_code = "ANSWER_INVALID"
    message = "The language model gave no answer that fits the output schema."
    next_action = "Make the schema simpler, say in the prompt what you expect, or choose another model."


class NoAnswers(CustomerError):
    """A batch of which not one item went well."""

    error_code = "NO_ANSWERS"
    message = "None of the batch's items was answered."
    next_action = "The items' own errors say why; mend what they name, or retry the task as it is."


class NothingIngested(CustomerError):
    """An ingest of which not one collection went well."""

    error_code = "NOTHING_INGESTED"
    message = "None of the collections was ingested."
    next_action = "Mend what the message names, and retry the task."


class TooManyRequests(CustomerError):
    error_code = "TOO_MANY_REQUESTS"
    http_status = 429
    message = "You ask more often than one customer may."
    next_action = "Wait for as long as Retry-After says, then go on more slowly."
    retry_after = 5.0


class TooManyFollowed(TooManyRequests):
    error_code = "TOO_MANY_FOLLOWED"
    message = "You follow as many tasks at once as one customer may."
    next_action = "Close a stream, or poll GET /tasks/{id} without `wait`."


class TooManyUploads(TooManyRequests):
    error_code = "TOO_MANY_UPLOADS"
    message = "As many files are being sent to us as we take at once."
    next_action = "Send it again when Retry-After says, or straight to the file store: POST /tasks/{id}/upload-urls."


class WorldHiccup(AgensiumError):
    error_class = ErrorClass.TRANSIENT
    error_code = "STORAGE_UNAVAILABLE"
    http_status = 503
    message = "A service we depend on did not answer."
    next_action = "Nothing: we try again by ourselves."
    recoverable = True

    def __init__(
        self, message: str = "", *, detail: str = "", retry_after: float | None = None, **context: Any
    ) -> None:
        super().__init__(message, detail=detail, **context)
        self.retry_after = retry_after


class StorageUnavailable(WorldHiccup):
    error_code = "STORAGE_UNAVAILABLE"
    message = "The file store did not answer."


class DatabaseUnavailable(WorldHiccup):
    error_code = "DATABASE_UNAVAILABLE"
    message = "The database did not answer."


class ModelUnavailable(WorldHiccup):
    error_code = "MODEL_UNAVAILABLE"
    message = "The language model did not answer."


class WorkerStalled(WorldHiccup):
    """The agent's process was ended because its supervisor stood still; the agent is not to blame."""

    error_code = "WORKER_STALLED"
    message = "The machine that ran the task stood still for a while."


class LimitReached(AgensiumError):
    error_class = ErrorClass.LIMIT
    recoverable = True


class TimeLimit(LimitReached):
    error_code = "TIMEOUT"
    message = "The task ran longer than its tool allows."
    next_action = "Send less data or choose fewer agents."


class HardTimeLimit(LimitReached):
    error_code = "HARD_TIMEOUT"
    message = "The task did not stop at its time limit and was ended."
    next_action = "Send less data or choose fewer agents."


class MemoryLimit(LimitReached):
    error_code = "MEMORY_LIMIT"
    message = "The agent needed more memory than it may use."
    next_action = "Send less data, fewer columns, or choose fewer agents."


class NoProgress(LimitReached):
    error_code = "NO_PROGRESS"
    message = "The agent made no progress and was ended."
    next_action = "Try again with less data; if it happens again, tell us the task's id."


class Crashed(AgensiumError):
    error_class = ErrorClass.CRASH
    recoverable = True


class AgentCrashed(Crashed):
    error_code = "AGENT_CRASHED"
    message = "The agent's process died."
    next_action = "Try again with less data; if it happens again, tell us the task's id."


class WorkerLost(Crashed):
    error_code = "WORKER_LOST"
    message = "The machines that ran the task were lost too many times."
    next_action = "Retry the task: it goes on at the agent it was on. If it happens again, tell us the task's id."


class Cancelled(AgensiumError):
    error_class = ErrorClass.CANCELLED
    error_code = "CANCELLED"
    http_status = 409
    message = "The task was cancelled."
    next_action = "Nothing; what was delivered before can be downloaded."


class Expired(AgensiumError):
    error_class = ErrorClass.USER
    error_code = "EXPIRED"
    http_status = 410
    message = "The task was not started in time."
    next_action = "Create a new task."


class InternalError(AgensiumError):
    """Our bug."""


class AgentFailed(AgensiumError):
    """An agent's failure as its own process judged it."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.message, detail=verdict.detail, **verdict.context)
        self._verdict = verdict

    @property
    def verdict(self) -> Verdict:
        return self._verdict


class Interruption(AgensiumError):
    """The claim ends here, but the task goes on elsewhere or has ended already; nobody is to blame."""


class ClaimLost(Interruption):
    message = "Another worker owns the task, or it has ended."


class HandBack(Interruption):
    message = "The task goes back to the queue."


class Drained(HandBack):
    message = "The task goes back to the queue, because its worker shuts down."


class Reroute(Interruption):
    message = "The task goes to a worker that gives its agents more memory."


class Waiting(Interruption):
    message = "The task waits for its parts."


def error_named(error_code: str) -> type[AgensiumError]:
    """The class of the tree that bears this code; InternalError where none does."""
    return _by_code(AgensiumError).get(error_code, InternalError)


def _by_code(kind: type[AgensiumError]) -> dict[str, type[AgensiumError]]:
    """Codes of a class and all below it; of two that share a code, the upper one."""
    found: dict[str, type[AgensiumError]] = {}
    for child in kind.__subclasses__():
        found |= _by_code(child)
    return found | {kind.error_code: kind}
