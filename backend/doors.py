"""The ways out of the house, opened once a process."""

from dataclasses import dataclass
from functools import lru_cache

from backend.language_models.door import LanguageModels
from backend.settings import get_settings
from backend.storage.door import Storage
from backend.vectors.door import VectorDoor
from backend.vectors.stores import store_of


@dataclass(frozen=True, slots=True)
class Doors:
    """What the life of a task may reach outside its process."""

    storage: Storage
    models: LanguageModels
    vectors: VectorDoor


@lru_cache(maxsize=1)
def get_doors() -> Doors:
    settings = get_settings()
    return Doors(storage=Storage(settings), models=LanguageModels(settings), vectors=VectorDoor(store_of(settings)))
