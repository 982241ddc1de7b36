"""What a column's sampled values look like, as numbers."""

import math
import re
from collections.abc import Sequence
from itertools import pairwise

from transformers.feature_types.stop_words import STOP_WORDS

NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
INTEGER = re.compile(r"[+-]?\d+")
_MONTH = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_FORMS = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ T].*)?",  # dates
        r"\d{1,2}:\d{2}(:\d{2})?([.:]\d+)?( ?[ap]m)?",  # times
        rf".*\b{_MONTH}\b.*\d.*|\d.*\b{_MONTH}\b.*",  # dates in words
        r"(19|20)\d{2}",  # years
        r"(19|20)\d{2}(0\d|1[0-2])([0-2]\d|3[01])?",  # 20240131
        r"(19|20)\d{2}[-/ ]?(q[1-4]|\d{1,2})|q[1-4][-/ ]?(19|20)\d{2}",  # quarters and months
        r".*\d{1,2}:\d{2}:\d{2}.*",
        r"(https?|ftp)://.*|www\..*",
        r"[^\s/]+\.(com|org|net|gov|edu|io|de|uk|jpg|png|html?|php|pdf)\b.*",
        r"[^@\s]+@[^@\s]+\.\w+",
        r"[\[({].*[\])}]",  # bracketed
        r"[^,;|]+([,;|][^,;|]+)+",  # parted by a delimiter
        r"[-+]?\d{1,3}(,\d{3})+(\.\d+)?",  # thousands
        r"[-+]?\d[\d .]*,\d+",  # a comma for the point
        r"[-+(]?\s?[$€£¥₹].*\d.*",
        r"[-+]?[\d.,]+\s?%",
        r"[-+]?[\d.,]+\s?[a-z°\"']{1,8}(/[a-z]+)?[.]?",  # a unit behind
        r"[a-z$#]{1,6}[ -]?[\d.,]+",  # something before the digits
        r"\d+[-xX/:]\d+",  # two numbers
        r"[a-z]+",
        r"[A-Z][a-z]+([ '-][A-Z][a-z.]+)+",  # words that begin large
        r"[A-Z0-9]{2,}",
        r"[a-z0-9]+([_-][a-z0-9]+)+",
        r"[0-9a-f]{8,}|[0-9a-f-]{36}",
        r"true|false|yes|no|y|n|t|f|male|female|m",
        r"0\d+",
        r"-?9{2,}(\.0+)?|-1",
        r"[^\w\s]+|#.*|n/?a|nan|null|none|unknown",
    )
)
_MARKS = ",;|/-_.:'\"()[]{}$%#&+*@!?<>="


def shape_features(samples: Sequence[str]) -> list[float]:
    present = [sample.strip()[:400] for sample in samples if sample.strip()]
    if not present:
        return [0.0] * SHAPE_FEATURES
    n = len(present)
    different = list(dict.fromkeys(present))
    shares = [sum(form.fullmatch(text) is not None for text in present) / n for form in _FORMS]
    marks = [sum(text.count(mark) for text in present) / n for mark in _MARKS]
    return [
        n / max(len(samples), 1),
        len(different) / n,
        *shares,
        *(min(mark, 50.0) for mark in marks),
        *_texts(present),
        *_numbers(different),
    ]


def _texts(present: Sequence[str]) -> list[float]:
    n = len(present)
    lengths = [len(text) for text in present]
    words = [text.split() for text in present]
    counts = [len(split) for split in words]
    stops = [sum(word.lower().strip(".,;:") in STOP_WORDS for word in split) for split in words]
    everything = "".join(present)
    total = max(len(everything), 1)
    return [
        *_moments(lengths),
        *_moments(counts),
        sum(stops) / n,
        sum(stops) / max(sum(counts), 1),
        max(len(word) for split in words for word in split or [""]),
        sum(c.isdigit() for c in everything) / total,
        sum(c.isalpha() for c in everything) / total,
        sum(c.isupper() for c in everything) / total,
        sum(not c.isascii() for c in everything) / total,
        sum(text[0].isdigit() for text in present) / n,
        sum(text[-1].isdigit() for text in present) / n,
        sum(text[:1].isalpha() and any(c.isdigit() for c in text) for text in present) / n,
        len(_prefix(present)),
    ]


def _moments(values: Sequence[float]) -> list[float]:
    mean = sum(values) / len(values)
    spread = math.sqrt(sum((value - mean) ** 2 for value in values) / len(values))
    return [mean, spread, min(values), max(values)]


def _prefix(present: Sequence[str]) -> str:
    low, high = min(present), max(present)
    same = next((i for i, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), len(low))
    return low[:same] if low != high else ""


def _numbers(different: Sequence[str]) -> list[float]:
    read = [text for text in different if NUMBER.fullmatch(text)]
    if not read:
        return [0.0] * 14
    values = [max(min(float(text), 1e18), -1e18) for text in read]
    steps = [b - a for a, b in pairwise(values)]
    size = max(1e-9, *map(abs, values))
    decimals = [len(text.partition(".")[2]) for text in read]
    return [
        len(read) / len(different),
        sum(INTEGER.fullmatch(text) is not None for text in read) / len(read),
        sum(decimals) / len(read),
        max(decimals),
        sum("e" in text.lower() for text in read) / len(read),
        sum(value < 0 for value in values) / len(values),
        sum(value == 0 for value in values) / len(values),
        sum(step > 0 for step in steps) / max(len(steps), 1),
        float(bool(steps) and len(set(steps)) == 1),
        float(bool(steps) and set(steps) == {1.0}),
        sum(abs(step) for step in steps) / max(len(steps), 1) / size,
        signed_log(min(values)),
        signed_log(max(values)),
        sum(value % 10 == 0 for value in values) / len(values),
    ]


def signed_log(value: float) -> float:
    return math.copysign(math.log1p(abs(value)), value)


SHAPE_FEATURES = 2 + len(_FORMS) + len(_MARKS) + 19 + 14
