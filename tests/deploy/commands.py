"""Whether `agensium …` takes what a container is told to run, without running it."""

import typer.main

from backend.cli import app
from backend.settings import Settings
from celery_queue import worker

SETTINGS = {name.upper() for name in Settings.model_fields}
FLOWERS_OWN = {"FLOWER_BASIC_AUTH"}  # what Flower reads by itself
REQUIRED = {"SECRET_KEY", "DATABASE_URL", "REDIS_URL"}  # production refuses to start without
GIBIBYTE = 2**30


def understood(words: list[str]) -> dict[str, object]:
    """Its options as they are taken; SystemExit or a click error where one is wrong."""
    name, *options = words
    if name == "worker":
        return vars(worker._options(options))
    group = typer.main.get_command(app)
    command = group.commands[name]  # type: ignore[attr-defined]
    parameters: dict[str, object] = command.make_context(name, options).params
    return parameters


def agents_memory(slots: int) -> int:
    """Bytes that the agents of so many slots may take at once."""
    return slots * Settings(_env_file=None).agent_memory_bytes
