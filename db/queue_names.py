"""The queues there are. Apart from the rows, so that who only asks the broker loads no SQLAlchemy."""

from enum import StrEnum


class Queue(StrEnum):
    DEFAULT = "default"
    HIGH_MEMORY = "high_memory"
