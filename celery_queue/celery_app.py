"""The Celery app: `celery -A celery_queue.celery_app worker --pool=solo`, `… flower`.

Importing it connects the signal handlers; importing the handlers' modules is all that this file has to do for them.
"""

import os

from backend import calm_start

# isort: split
from celery import Celery

from backend.settings import get_settings
from celery_queue import callbacks, drain, slots, worker_start
from celery_queue.celery_config import celery_config

# Flower shows every task's arguments and asks for no password by itself: as typed, it stays on this machine.
os.environ.setdefault("FLOWER_ADDRESS", "127.0.0.1")

app = Celery("agensium")
app.conf.update(celery_config(get_settings()))

SIGNAL_HANDLERS = (callbacks, drain, slots, worker_start)
calm_start.over()
