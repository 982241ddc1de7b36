"""What an API process tells besides: its requests, and how the house stands, from rows.

Every API process reads the same rows: take the largest of what they tell (`max by (queue) (…)`), never the sum.
"""

from enum import StrEnum

from backend.metrics.kinds import STRETCHES, Counter, Gauge, Histogram, HouseGauge, Label


class TaskState(StrEnum):
    CREATED = "created"
    QUEUED = "queued"
    QUEUED_LATER = "queued_later"  # after a hiccup
    ADMITTED = "admitted"  # a worker was called
    PROCESSING = "processing"


class WorkerState(StrEnum):
    LIVE = "live"
    DRAINING = "draining"
    SILENT = "silent"  # for longer than a lease, and has not said goodbye


METHOD, ROUTE = Label("method", of="GET, POST, …"), Label("route", of="a route with its holes left in")
QUEUE = Label("queue", of="default or high_memory")
REQUESTS = Counter("agensium_http_requests_total", "Requests answered.", (METHOD, ROUTE, Label("status", of="of HTTP")))
REQUEST = Histogram(
    "agensium_http_request_seconds",
    "Time to the whole answer; a long poll and an event stream take as long as they are asked to.",
    (METHOD, ROUTE),
    STRETCHES,
)
UP = Gauge("agensium_database_up", "1 when the rows could be read; 0: what is told from rows is missing.")
CONNECTIONS = Gauge("agensium_database_connections", "Connections of this process that are in use.")
CONNECTIONS_MOST = Gauge("agensium_database_connections_most", "So many it may have (twice DATABASE_POOL_SIZE).")
LOOP_LAG = Histogram(
    "agensium_event_loop_lag_seconds",
    "How much later than asked for the event loop got round to a timer, twice a second.",
    bounds=(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)

TASKS = HouseGauge(
    "agensium_tasks",
    "Tasks and parts that have not ended, but for those that wait for their parts.",
    (Label("state", TaskState),),
)
WAITING = HouseGauge("agensium_waiting_tasks", "Tasks and parts that could run and wait for a slot.", (QUEUE,))
WAITING_COST = HouseGauge(
    "agensium_waiting_cost_seconds", "Slot-seconds that what waits is expected to take.", (QUEUE,)
)
OLDEST_WAITING = HouseGauge(
    "agensium_oldest_waiting_seconds",
    "The longest wait of what could run; a step of priority counts as a minute of it.",
    (QUEUE,),
)
OLDEST_RUNG = HouseGauge(
    "agensium_oldest_rung_seconds", "The longest time since a task was let in that nobody took.", (QUEUE,)
)
COUNTED = Gauge(
    "agensium_waiting_counted_age_seconds",
    "Since what waits was counted: it is counted again after fifty times as long as the counting takes.",
)
SLOTS = HouseGauge("agensium_slots", "Slots of live workers; one that takes from two queues is in both.", (QUEUE,))
SLOTS_BUSY = HouseGauge("agensium_slots_busy", "Tasks and parts let in or at work.", (QUEUE,))
SLOTS_IDLE = HouseGauge(
    "agensium_slots_idle",
    "Slots of live workers with no task at work; one that takes from two queues is in both.",
    (QUEUE,),
)
WORKERS = HouseGauge("agensium_workers", "Workers by their last sign of life.", (Label("state", WorkerState),))
HOUSE_KEPT = HouseGauge("agensium_house_kept_age_seconds", "Since a conductor last kept house; usually under 60.")
WEBHOOKS_PENDING = HouseGauge("agensium_webhooks_pending", "Tellings that are not through, to endpoints that are on.")
WEBHOOKS_OLDEST = HouseGauge(
    "agensium_webhooks_oldest_due_seconds", "For how long the first telling that is due has been so."
)
WEBHOOKS_GIVEN_UP = HouseGauge("agensium_webhooks_given_up", "Tellings given up within the last hour.")
BREAKERS_OPEN = HouseGauge(
    "agensium_model_breaker_open",
    "1 for a model that is left alone for a while.",
    (Label("model", of="provider:model"),),
)
ALL = (
    REQUESTS, REQUEST, UP, CONNECTIONS, CONNECTIONS_MOST, LOOP_LAG, TASKS, WAITING, WAITING_COST, OLDEST_WAITING,
    COUNTED, OLDEST_RUNG, SLOTS, SLOTS_BUSY, SLOTS_IDLE, WORKERS, HOUSE_KEPT, WEBHOOKS_PENDING, WEBHOOKS_OLDEST,
    WEBHOOKS_GIVEN_UP, BREAKERS_OPEN,
)  # fmt: skip
