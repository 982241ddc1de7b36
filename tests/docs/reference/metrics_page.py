"""docs/reference/metrics.md: every metric that an API process or a worker tells."""

from collections.abc import Iterable

from backend.metrics import catalogue
from backend.metrics.kinds import Counter, Gauge, Histogram, HouseGauge, Label, Metric
from tests.docs.reference.wording import code, table

INTRO = """# Metrics

The API tells these at `GET /metrics` of its own port, each worker at `METRICS_PORT` of its main process (0: nowhere).
Nobody is asked who they are, and no customer's data is among them; all the same a proxy should not pass `/metrics` on
to the world. How they are scraped, drawn and watched: [how-to/watch.md](../how-to/watch.md).

A **counter** only grows, until its process is started anew (`rate`, `increase`; `sum` over instances). A **histogram**
counts how many were at most so large (`histogram_quantile`). A **gauge** is read when it is asked for. A **gauge of the
house** comes from rows: every API process tells the same, so take `max`, never `sum`. With the database away it is
missing, and `agensium_database_up` is 0.

What a task or a credit did is counted with the commit that makes it so, by the process that committed it: a submit and
a cancel by the API, what a run did by its worker, a rescue by the worker whose round it was. What a command in a shell
did (`agensium grant`, `agensium replay`) is in the rows alone, and so is what the processes beside a worker did, which
clean and which bring webhooks. A slot that is killed takes the last second of its numbers along. No label holds an id
or a customer's word.

"""
PROCESS = """On Linux both tell of their own process besides: `process_resident_memory_bytes`,
`process_cpu_seconds_total`, `process_open_fds`, `process_max_fds`, `process_start_time_seconds`,
`process_virtual_memory_bytes`.
"""
HEADS = ("metric", "kind", "labels", "what it says")
KINDS = {Counter: "counter", Histogram: "histogram", Gauge: "gauge", HouseGauge: "gauge of the house"}


def metrics_page() -> str:
    both = [metric for metric in catalogue.API if metric in catalogue.WORKER]
    parts = {
        "Of the API and of workers": both,
        "Of the API": [metric for metric in catalogue.API if metric not in both],
        "Of workers": [metric for metric in catalogue.WORKER if metric not in both],
    }
    return INTRO + "".join(f"## {title}\n\n{_table(metrics)}\n" for title, metrics in parts.items()) + PROCESS


def _table(metrics: Iterable[Metric]) -> str:
    return table(HEADS, (_row(metric) for metric in metrics))


def _row(metric: Metric) -> tuple[str, ...]:
    named = f'<a id="{metric.name}"></a>{code(metric.name)}'
    return named, KINDS[type(metric)], "; ".join(map(_label, metric.labels)), metric.help


def _label(label: Label) -> str:
    return f"{code(label.name)}: {', '.join(label.values) if label.values is not None else label.of}"
