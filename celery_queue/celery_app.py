"""The Celery app: `celery -A celery_queue.celery_app worker --pool=solo`, `… flower`.

Importing it connects the signal handlers; importing the handlers' modules is all that this file has to do for them.
"""

from backend import calm_start

# isort: split
from celery_queue import callbacks, drain, slots, worker_metrics, worker_start
from celery_queue.broker_app import app as app  # noqa: PLC0414 (`-A` finds it here)

app.conf.imports = ["celery_queue.tasks"]

SIGNAL_HANDLERS = (callbacks, drain, slots, worker_metrics, worker_start)
calm_start.over()
