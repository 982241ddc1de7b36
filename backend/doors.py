"""The ways out of the house, opened once a process."""

from dataclasses import dataclass
from functools import lru_cache

from backend.settings import get_settings
from backend.storage import Storage


@dataclass(frozen=True, slots=True)
class Doors:
    """What the life of a task may reach outside its process."""

    storage: Storage


@lru_cache(maxsize=1)
def get_doors() -> Doors:
    return Doors(storage=Storage(get_settings()))
