"""The Celery app for who only asks the broker: `celery -A celery_queue.broker_app flower`, `… inspect ping`.

It knows no task and no signal's handler: celery_app.py adds those, and with them the whole house.
"""

import os

from celery import Celery

from backend.settings import get_settings
from celery_queue.celery_config import celery_config

# Flower shows every task's arguments and asks for no password by itself: as typed, it stays on this machine.
os.environ.setdefault("FLOWER_ADDRESS", "127.0.0.1")

app = Celery("agensium")
app.conf.update(celery_config(get_settings()))
