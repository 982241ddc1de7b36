"""All checks, in the order in which their findings are told. What exists is what is named here.

Each has its own time: a connection is given up after five seconds, and what follows is a few round trips.
"""

from backend.doctor import broker, database, models, scratch, settings, storage, workers
from backend.doctor.finding import Area, Check

CHECKS: tuple[Check, ...] = (
    Check(Area.SETTINGS, settings.look, 5),
    Check(Area.DATABASE, database.look, 12),
    Check(Area.BROKER, broker.look, 20),  # it listens for four of them, and waits three for workers' answers
    Check(Area.STORAGE, storage.look, 12),
    Check(Area.WORKERS, workers.look, 12),
    Check(Area.SCRATCH, scratch.look, 5),
    Check(Area.MODELS, models.look, 5),
)
ASK_MODELS = Check(Area.MODELS, models.ask, models.ASK_SECONDS + 10)  # only when it is asked for: it costs money
