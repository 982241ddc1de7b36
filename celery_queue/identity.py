"""Who this worker is. Made before prefork's children are, so that they share it."""

import os
import platform
import uuid

from backend.release import release
from backend.settings import get_settings
from celery_queue.celery_config import queues_of
from db.workers import WorkerIdentity
from transformers.catalog import tools

BOOT_UUID = uuid.uuid4()  # never reused, so that no rescue can hit the wrong worker


def identity(pool: str, slots: int) -> WorkerIdentity:
    settings = get_settings()
    return WorkerIdentity(
        boot_uuid=BOOT_UUID,
        host=platform.node(),
        pid=os.getpid(),
        pool=pool,
        slots=slots,
        memory_bytes=settings.agent_memory_bytes,
        queues=tuple(queue.value for queue in queues_of(settings)),
        tools=tuple(tools()),
        code_version=release(),
    )
