"""What is told to Prometheus, in its text format. Loaded by who serves it, not by who only counts."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate

from prometheus_client import CONTENT_TYPE_LATEST as CONTENT_TYPE
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.core import Metric as Family
from prometheus_client.registry import Collector

from backend.metrics.catalogue import INFO
from backend.metrics.kinds import Counter, Gauge, Histogram, Level, Metric
from backend.metrics.tally import TALLY, Counted
from backend.release import release

__all__ = ["CONTENT_TYPE", "exposition", "registry"]


def exposition(found: CollectorRegistry) -> bytes:
    return generate_latest(found)


def registry(metrics: Iterable[Metric], levels: Callable[[], Iterable[Level]]) -> CollectorRegistry:
    """These metrics as they stand in this process when somebody asks, and what the system knows of it (`process_…`)."""
    made = CollectorRegistry()
    made.register(_Told(tuple(metrics), levels))
    ProcessCollector(registry=made)
    return made


class _Told(Collector):
    def __init__(self, metrics: Sequence[Metric], levels: Callable[[], Iterable[Level]]) -> None:
        self._metrics, self._levels = metrics, levels

    def describe(self) -> Iterator[Family]:
        """Nothing, so that registering asks nobody."""
        return iter(())

    def collect(self) -> Iterator[Family]:
        levels = (INFO.at(1, release()), *self._levels())
        counted = TALLY.read()
        for metric in self._metrics:
            if isinstance(metric, Counter):
                yield _counter(metric, counted)
            elif isinstance(metric, Histogram):
                yield _histogram(metric, counted)
            elif isinstance(metric, Gauge):
                yield from _gauge(metric, levels)


def _counter(metric: Counter, counted: Counted) -> Family:
    family = CounterMetricFamily(metric.name, metric.help, labels=metric.label_names)
    found = {labels: count for (name, labels), count in counted.counts.items() if name == metric.name}
    for labels, count in {**dict.fromkeys(metric.known_series(), 0.0), **found}.items():
        family.add_metric(labels, count)
    return family


def _histogram(metric: Histogram, counted: Counted) -> Family:
    family = HistogramMetricFamily(metric.name, metric.help, labels=metric.label_names)
    bounds = [*(f"{float(bound)}" for bound in metric.bounds), "+Inf"]
    found = {labels: spread for (name, labels), spread in counted.spreads.items() if name == metric.name}
    nothing = [0.0] * (len(bounds) + 1)
    for labels, spread in {**dict.fromkeys(metric.known_series(), nothing), **found}.items():
        buckets = list(zip(bounds, accumulate(spread[:-1]), strict=True))
        family.add_metric(labels, buckets, sum_value=spread[-1])
    return family


def _gauge(metric: Gauge, levels: Iterable[Level]) -> Iterator[Family]:
    """What was not read is not told: a 0 would be a lie."""
    found = [level for level in levels if level.gauge is metric]
    if found:
        family = GaugeMetricFamily(metric.name, metric.help, labels=metric.label_names)
        for level in found:
            family.add_metric(level.labels, level.value)
        yield family
