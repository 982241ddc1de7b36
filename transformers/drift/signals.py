"""When two samples of a column differ enough to say so: an effect above its floor that chance does not explain.

Both are asked. The effect alone decides how serious it is; a million rows make every p small, and no alarm.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from transformers.drift import effects, noise
from transformers.drift.binning import Bins
from transformers.drift.categories import Words
from transformers.drift.numbers import Counted, iso
from transformers.drift.pairs import Family
from transformers.findings import Severity


@dataclass(frozen=True)
class Ladder:
    """From `floor` an effect is told, as low; from `medium` and `high` it is that."""

    floor: float
    medium: float
    high: float

    def severity(self, effect: float) -> Severity:
        if effect >= self.high:
            return Severity.HIGH
        return Severity.MEDIUM if effect >= self.medium else Severity.LOW


SHAPE = Ladder(0.06, 0.1, 0.25)  # KS distance: .1 is a quarter of a standard deviation, .06 half a small effect (Cohen)
STABILITY = Ladder(0.1, 0.1, 0.25)  # PSI: the usual reading
WAY = Ladder(0.1, 0.25, 1.0)  # Wasserstein, in the baseline's standard deviations
NEW_SHARE = Ladder(0.01, 0.02, 0.1)  # of the rows that hold what the baseline never held
NEW_VALUE = Ladder(0.005, 0.02, 0.1)  # the same, of one single value
NOTATION = Ladder(0.05, 0.1, 0.5)  # difference of the shares of cells that are written one way
MISSING = Ladder(0.02, 0.05, 0.25)  # difference of the missing shares
OVERDISPERSED = 4.0  # new values come in clumps: the variance that one row at a time would give, times this


@dataclass(frozen=True)
class Signal:
    kind: str  # the type
    figure: str
    effect: float
    p: float
    severity: Severity
    message: str


@dataclass(frozen=True)
class Compared:
    """The figures of one aspect of a column, and what of it is drift."""

    aspect: str
    n: int
    m: int
    figures: dict[str, float]
    signals: tuple[Signal, ...] = field(default=())


def compare_numbers(counted: Counted, bins: Bins, levels: noise.Levels) -> Compared:
    m, n = int(bins.old.sum()), int(bins.new.sum())
    figures = _binned(bins.old, bins.new)
    figures["kolmogorov_smirnov"] = effects.ks_distance(counted.old, counted.new)
    figures["kolmogorov_smirnov_p"] = noise.kolmogorov_p(figures["kolmogorov_smirnov"], n, m)
    figures["wasserstein"] = effects.wasserstein(counted.old_sample, counted.new_sample)
    figures["outside_share"] = bins.outside / n
    ends = (int(bins.new[0]), int(bins.new[-1]))
    figures["outside_p"] = min(1.0, 2 * min(noise.never_seen_p(count, n, m) for count in ends))
    return Compared(counted.measure.aspect, n, m, figures, tuple(_number_signals(counted, figures, levels)))


def _number_signals(counted: Counted, figures: dict[str, float], levels: noise.Levels) -> Iterator[Signal]:
    level = _level_of_a_shape(counted, levels)
    what = "values" if counted.measure.aspect == "value" else f"{counted.measure.aspect}s"
    shape, outside = figures["kolmogorov_smirnov_p"], figures["outside_p"]
    kind = "distribution_drift" if counted.measure.aspect == "value" else f"{counted.measure.aspect}_drift"
    yield from _signal(
        kind,
        ("kolmogorov_smirnov", figures["kolmogorov_smirnov"], shape),
        SHAPE,
        level,
        f"The {what} are distributed differently",
    )
    yield from _mix_signals(kind, figures, level, f"The {what} fall differently into the baseline's bins")
    yield from _signal(
        kind,
        ("wasserstein", figures["wasserstein"], min(shape, outside)),
        WAY,
        level,
        f"The {what} moved, on average, by a share of the baseline's standard deviation",
    )
    beyond = "outside_baseline_range" if counted.measure.aspect == "value" else f"outside_baseline_{what}"
    yield from _signal(
        beyond,
        ("outside_share", figures["outside_share"], outside),
        NEW_SHARE,
        levels.other,
        f"A share of the {what} lies outside the baseline's {_shown(counted)}",
    )


def _level_of_a_shape(counted: Counted, levels: noise.Levels) -> float:
    """Two tests share it, but where values repeat: there one of them is so conservative that it takes nothing."""
    if counted.measure.aspect != "value":
        return levels.other
    return levels.values if counted.few else levels.values / 2


def _shown(counted: Counted) -> str:
    if counted.measure.aspect == "value" and counted.measure.pair.family is Family.MOMENT:
        return f"{iso(counted.low)} … {iso(counted.high)}"
    return f"{counted.low:.6g} … {counted.high:.6g}"


def compare_words(words: Words, levels: noise.Levels) -> Compared:
    n, m = words.n, words.m
    figures = _binned(words.old, words.new)
    figures["unseen_share"] = words.unseen_rows / n
    figures["unseen_p"] = _unseen_p(words)
    return Compared(words.aspect, n, m, figures, tuple(_word_signals(words, figures, levels)))


def _word_signals(words: Words, figures: dict[str, float], levels: noise.Levels) -> Iterator[Signal]:
    kind = "distribution_drift" if words.aspect == "value" else f"{words.aspect}_drift"
    plural = "values" if words.aspect == "value" else f"{words.aspect}s"
    level = levels.other
    of_mix = levels.values if words.aspect == "value" else level
    yield from _mix_signals(kind, figures, of_mix, f"The mix of {plural} changed")
    new = _new_words(words, level)
    if new:
        share = sum(count for _, count in new) / words.n
        message = f"A share of the cells holds new {plural} ({len(new)} of note)"
        yield from _signal(f"unseen_{words.aspect}", ("unseen_share", share, 0.0), NEW_VALUE, level, message)
    else:
        message = f"A share of the cells holds {plural} that the baseline does not have, more than is to be expected"
        excess = max(0.0, figures["unseen_share"] - words.singletons / words.m)
        found = ("unseen_share", excess, figures["unseen_p"])
        yield from _signal(f"unseen_{words.aspect}", found, NEW_SHARE, level, message)


def _new_words(words: Words, level: float) -> list[tuple[str, int]]:
    """Those of the new values that are too frequent to have been overlooked."""
    n, m = words.n, words.m
    return [
        (value, count)
        for value, count in words.unseen
        if count / n >= NEW_VALUE.floor
        and noise.never_seen_p(count, n, m) * min(words.values, (n + m) / count) <= level
    ]


def _unseen_p(words: Words) -> float:
    """The baseline's values that occur once tell how much of the next rows is new (Good 1953)."""
    n, m, share = words.n, words.m, words.unseen_rows / words.n
    expected = words.singletons / m
    spread = OVERDISPERSED * (max(words.singletons, 1) / m**2 + max(share, expected) / n)
    return noise.upper_p((share - expected) / spread**0.5)


@dataclass(frozen=True)
class Share:
    """Cells of a kind among all: how many the baseline and the primary have."""

    aspect: str
    verb: str  # "are missing"
    ladder: Ladder
    cells: tuple[int, int]
    of: tuple[int, int]


def missing_share(cells: tuple[int, int], rows: tuple[int, int]) -> Share:
    return Share("missing", "are missing", MISSING, cells, rows)


def misfit_share(cells: tuple[int, int], present: tuple[int, int]) -> Share:
    return Share("misfit", "do not fit the column's type", NEW_SHARE, cells, present)


def notation_share(name: str, cells: tuple[int, int], of: tuple[int, int]) -> Share:
    return Share("notation", f"are written as {name.replace('_', ' ')}", NOTATION, cells, of)


def compare_share(share: Share, level: float) -> Compared:
    (b, p), (m, n) = share.cells, share.of
    before, after = b / m, p / n
    figures = {"baseline_share": before, "share": after, "p_value": noise.proportions_p(b, m, p, n)}
    message = f"{after:.1%} of the cells {share.verb}; in the baseline {before:.1%}"
    found = (f"{share.aspect}_share", abs(after - before), figures["p_value"])
    signals = _signal(f"{share.aspect}_share_drift", found, share.ladder, level, message, shown=False)
    return Compared(share.aspect, n, m, figures, tuple(signals))


def _binned(old: "effects.Counts", new: "effects.Counts") -> dict[str, float]:
    statistic, freedom = effects.chi_square(old, new)
    variation = effects.total_variation(old, new)
    return {
        "population_stability": effects.population_stability(old, new),
        "jensen_shannon": effects.jensen_shannon(old, new),
        "chi_square": statistic,
        "chi_square_p": noise.chi_square_p(statistic, freedom),
        "cramers_v": effects.cramers_v(statistic, int(old.sum() + new.sum())),
        "total_variation": variation,
        "variation_above_chance": max(0.0, variation**2 - effects.expected_variation(old, new) ** 2) ** 0.5,
    }


def _mix_signals(kind: str, figures: dict[str, float], level: float, message: str) -> Iterator[Signal]:
    p = figures["chi_square_p"]
    yield from _signal(kind, ("population_stability", figures["population_stability"], p), STABILITY, level, message)
    yield from _signal(kind, ("total_variation", figures["variation_above_chance"], p), SHAPE, level, message)


def _signal(
    kind: str, found: tuple[str, float, float], ladder: Ladder, level: float, message: str, *, shown: bool = True
) -> Iterator[Signal]:
    figure, effect, p = found
    if effect >= ladder.floor and p <= level:
        told = f" ({figure.replace('_', ' ')} {effect:.3g})" if shown else ""
        yield Signal(kind, figure, effect, p, ladder.severity(effect), f"{message}{told}.")
