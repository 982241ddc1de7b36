"""Every metric, by the kind of process that tells it."""

from backend.metrics import of_doors, of_tasks, of_the_api, of_workers
from backend.metrics.kinds import Gauge, Label, Metric

INFO = Gauge("agensium_info", "1; which version runs.", (Label("version", of="of the package"),))
API: tuple[Metric, ...] = (INFO, *of_the_api.ALL, *of_tasks.ALL, *of_doors.OF_EVERYBODY)
WORKER: tuple[Metric, ...] = (INFO, *of_workers.ALL, *of_tasks.ALL, *of_doors.OF_EVERYBODY, *of_doors.OF_WORKERS)
