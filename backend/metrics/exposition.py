"""What is told to Prometheus, in its text format. Loaded by who serves it, not by who only counts."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from itertools import accumulate

from prometheus_client import CONTENT_TYPE_LATEST as CONTENT_TYPE
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.core import Metric as Family
from prometheus_client.registry import Collector

from backend.metrics.catalogue import INFO
from backend.metrics.kinds import Counter, Gauge, Histogram, Level, Metric
from backend.metrics.tally import TALLY, Counted

__all__ = ["CONTENT_TYPE", "exposition"]


def exposition(metrics: Iterable[Metric], levels: Iterable[Level]) -> bytes:
    """These metrics as they stand in this process, and what the system knows of it (`process_…`)."""
    registry = CollectorRegistry()
    registry.register(_Told(metrics, TALLY.read(), [INFO.at(1, _release()), *levels]))
    ProcessCollector(registry=registry)
    return generate_latest(registry)


@cache
def _release() -> str:
    try:
        return version("agensium")
    except PackageNotFoundError:  # run from a tree that was never installed
        return "unknown"


class _Told(Collector):
    def __init__(self, metrics: Iterable[Metric], counted: Counted, levels: Sequence[Level]) -> None:
        self._metrics, self._counted, self._levels = metrics, counted, levels

    def describe(self) -> Iterator[Family]:
        """Nothing: it is made for one answer."""
        return iter(())

    def collect(self) -> Iterator[Family]:
        for metric in self._metrics:
            if isinstance(metric, Counter):
                yield self._counter(metric)
            elif isinstance(metric, Histogram):
                yield self._histogram(metric)
            elif isinstance(metric, Gauge):
                yield from self._gauge(metric)

    def _counter(self, metric: Counter) -> Family:
        family = CounterMetricFamily(metric.name, metric.help, labels=metric.label_names)
        found = {labels: count for (name, labels), count in self._counted.counts.items() if name == metric.name}
        for labels, count in {**dict.fromkeys(metric.known_series(), 0.0), **found}.items():
            family.add_metric(labels, count)
        return family

    def _histogram(self, metric: Histogram) -> Family:
        family = HistogramMetricFamily(metric.name, metric.help, labels=metric.label_names)
        bounds = [*(f"{float(bound)}" for bound in metric.bounds), "+Inf"]
        found = {labels: spread for (name, labels), spread in self._counted.spreads.items() if name == metric.name}
        nothing = [0.0] * (len(bounds) + 1)
        for labels, spread in {**dict.fromkeys(metric.known_series(), nothing), **found}.items():
            buckets = list(zip(bounds, accumulate(spread[:-1]), strict=True))
            family.add_metric(labels, buckets, sum_value=spread[-1])
        return family

    def _gauge(self, metric: Gauge) -> Iterator[Family]:
        """What was not read is not told: a 0 would be a lie."""
        found = [level for level in self._levels if level.gauge is metric]
        if found:
            family = GaugeMetricFamily(metric.name, metric.help, labels=metric.label_names)
            for level in found:
                family.add_metric(level.labels, level.value)
            yield family
