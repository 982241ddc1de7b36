"""Celery's settings, each with the experiment or the accident behind it (numbers are lines of PITFALLS.md).

One module for everybody who touches the broker: the smallest visibility timeout among its users wins (19).
"""

from typing import Any

from kombu import Exchange
from kombu import Queue as KombuQueue

from backend.settings import Settings
from backend.tls import redis_tls, verified_redis_url
from db.queue_names import Queue

TASK_NAME = "celery_queue.tasks.process_analysis"
SOFT_LIMIT_ABOVE_OURS = 30  # seconds; Celery's limits are only the outermost net (4)
HARD_LIMIT_ABOVE_SOFT = 60


def celery_config(settings: Settings) -> dict[str, Any]:
    """Everything `app.conf` is given."""
    return {
        **_broker(settings),
        # what may be said
        "task_serializer": "json",
        "result_serializer": "json",
        "accept_content": ["json"],
        "enable_utc": True,
        "timezone": "UTC",
        # when a message is done: late, and also when it failed; a copy is sorted out by the claim (1, 9)
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "task_acks_on_failure_or_timeout": True,
        "worker_cancel_long_running_tasks_on_connection_loss": False,  # True lost the task (10)
        "worker_prefetch_multiplier": 1,
        "worker_consumer": "celery_queue.steady_consumer:SteadyConsumer",
        # limits
        "worker_concurrency": settings.celery_worker_concurrency,
        "worker_max_tasks_per_child": None,  # agents compute in children of their own, replaced there
        # what is shown: Flower's courtesy, never the truth
        "task_track_started": False,  # a write to the result backend before every task; Flower hears it by event
        "worker_send_task_events": True,
        "task_send_sent_event": False,
        "result_expires": settings.celery_result_expires,
        "result_extended": False,
        "worker_hijack_root_logger": False,
        # the connection
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        # opened only as they are used; with 2 of them Flower's inspector waits for itself for ever (seen with 2.2)
        "broker_pool_limit": 10,
        "task_publish_retry_policy": {"max_retries": 2, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.5},
        "redis_socket_timeout": 10,
        "redis_socket_connect_timeout": 5,
        "redis_retry_on_timeout": False,
        "redis_backend_health_check_interval": 25,
        # where messages go
        "task_default_queue": Queue.DEFAULT.value,
        "task_queues": [queue_named(queue.value) for queue in queues_of(settings)],
        "task_create_missing_queues": False,
        "worker_enable_remote_control": True,
    }


def queues_of(settings: Settings) -> tuple[Queue, ...]:
    """The queues this worker takes from."""
    named = tuple(Queue(name.strip()) for name in settings.celery_queues.split(",") if name.strip())
    return named or (Queue.DEFAULT,)


def queue_named(name: str) -> KombuQueue:
    """A queue with an exchange and key of its own: two queues on the default ones would each get every message."""
    return KombuQueue(name, Exchange(name, type="direct"), routing_key=name)


def _broker(settings: Settings) -> dict[str, Any]:
    return _redis(settings) if settings.redis_url else _files(settings)


def _redis(settings: Settings) -> dict[str, Any]:
    url = verified_redis_url(settings.redis_url)
    options = {
        "visibility_timeout": settings.celery_visibility_timeout,
        # seconds; a lost worker's messages come back, an hour late (6): ours to sweep long before. A look is five
        # operations, and an idle worker should cost Redis less than two a second in all.
        "unacked_restore_interval": 20,
        "unacked_restore_throttle": 1,
        "polling_interval": settings.celery_polling_interval,  # (7, 24)
        "socket_timeout": 10,
        "socket_connect_timeout": 5,
        "socket_keepalive": True,
        "health_check_interval": 25,
        "global_keyprefix": settings.celery_key_prefix,
    }
    tls = redis_tls(url)
    return {
        "broker_url": url,
        "result_backend": url,
        "broker_transport_options": options,
        "result_backend_transport_options": options,
        "visibility_timeout": settings.celery_visibility_timeout,
        "broker_use_ssl": tls,
        "redis_backend_use_ssl": tls,
    }


def _files(settings: Settings) -> dict[str, Any]:
    """A broker in a directory, for one machine without Redis. It may lose the message in flight, and may: the row is
    the truth and is rung again (27).
    """
    folders = {name: settings.broker_dir.absolute() / name for name in ("messages", "processed", "control", "results")}
    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True)
    return {
        "broker_url": "filesystem://",
        "broker_transport_options": {
            "data_folder_in": str(folders["messages"]),
            "data_folder_out": str(folders["messages"]),
            "processed_folder": str(folders["processed"]),
            "control_folder": str(folders["control"]),
            "store_processed": False,
            "polling_interval": 0.05,
        },
        "result_backend": folders["results"].as_uri(),
    }
