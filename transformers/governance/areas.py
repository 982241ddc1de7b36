"""The four areas in which a table of personal data accounts for itself, and the columns that do it.

A column is found by the words of its header, in several languages' usual terms, and believed by its values: a moment
of loading is a moment, a consent has few answers. By Articles 5, 6, 7, 9 and 30 of the GDPR.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from transformers.cells.columns import NUMERIC, TEMPORAL, Column, LogicalType
from transformers.risk.personal_fields import words_of

FEW_ANSWERS, FEW_CLASSES = 12, 25  # distinct values of a consent, of a classification
DOUBTED = 0.4  # how far a header is believed whose values have another shape


class Area(StrEnum):
    LINEAGE = "lineage"
    CONSENT = "consent"
    CLASSIFICATION = "classification"
    RETENTION = "retention"


@dataclass(frozen=True)
class Rule:
    """`matters`: why, in a sentence. `lack`: what to add."""

    words: str
    fits: Callable[[Column, int], bool]
    weight: float
    matters: str
    lack: str


def _moment_or_word(column: Column, _distinct: int) -> bool:
    return column.logical is not LogicalType.EMPTY


def _answer(column: Column, distinct: int) -> bool:
    return column.logical in {LogicalType.BOOLEAN, *TEMPORAL} or distinct <= FEW_ANSWERS


def _class(column: Column, distinct: int) -> bool:
    return column.logical not in TEMPORAL and distinct <= FEW_CLASSES


def _term(column: Column, distinct: int) -> bool:
    return column.logical in TEMPORAL + NUMERIC or distinct <= FEW_CLASSES


_MOMENT = r"(at|on|date|time|timestamp|ts|datetime)"
RULES: Mapping[Area, Rule] = {
    Area.CONSENT: Rule(
        words=(
            r"\b(consent(s|ed)?|opt(ed)? ?(in|out)|permission|unsubscribed?|do not (contact|call|sell|track)"
            r"|legal basis|lawful basis|legitimate interest|marketing (ok|allowed|preference)"
            r"|(newsletter|marketing|terms|privacy|gdpr|tos) (accepted|agreed|agreement|consent|flag|allowed)"
            r"|processing purpose|purpose of processing|einwilligung|rechtsgrundlage|consentement|consentimiento)\b"
        ),
        fits=_answer,
        weight=0.35,
        matters="Personal data needs a legal ground, and consent has to be proven (GDPR Art. 6 and 7).",
        lack="a consent or legal-basis column, with its date",
    ),
    Area.RETENTION: Rule(
        words=(
            r"\b(retention( \w+)?|retain until|keep until|delet(e|ion) (after|at|on|by|date|due)|erase (after|by|on)"
            r"|purge (date|after|on|at)|dispos(e|al) (date|after|on)|expir(y|ation|es) ?(date|on|at)?|expire date"
            r"|archive (after|date|on)|valid until|ttl|aufbewahrung\w*|loeschdatum|l.schdatum|conservation)\b"
        ),
        fits=_term,
        weight=0.25,
        matters="Personal data may be kept no longer than its purpose needs (GDPR Art. 5(1)(e)).",
        lack="a retention period or deletion date",
    ),
    Area.CLASSIFICATION: Rule(
        words=(
            r"\b((data|security|privacy|information|record|sensitivity|confidentiality)"
            r" (class|classification|label|level|category|tier)|classification|sensitivity|confidentiality"
            r"|confidential|pii flag|is pii|is sensitive|protection class|schutzklasse|vertraulichkeit)\b"
        ),
        fits=_class,
        weight=0.2,
        matters="Who may see a row follows from its classification (ISO/IEC 27001 A.5.12).",
        lack="a classification column",
    ),
    Area.LINEAGE: Rule(
        words=(
            rf"\b((created?|updated?|modified|inserted?|loaded?|ingest(ed|ion)?|extract(ed)?|import(ed)?|sync(ed)?"
            rf"|captured?|last (update|updated|modified|changed)) {_MOMENT}"
            r"|(created?|updated?|modified|entered|loaded) by|^source$|data source"
            r"|(source|origin|upstream|record|data) (system|source|file|table|id|application|name)"
            r"|(batch|load|run|etl|pipeline|import) (id|no|nr|number|name|key)|provenance|lineage|^origin$"
            r"|(record|row|schema) version|herkunft|quelle|quellsystem)\b"
        ),
        fits=_moment_or_word,
        weight=0.2,
        matters="Where a record came from and when has to be told on request (GDPR Art. 14 and 30).",
        lack="a source-system column and a load or change time",
    ),
}
_TECHNICAL = re.compile(r"\b(card|cc|credit|token|password|session|cookie|certificate|coupon|offer|product) ?expir")


@dataclass(frozen=True)
class Field:
    """A column that serves an area: how far it is filled, and how far it is believed."""

    area: Area
    column: Column
    filled: float
    believed: float

    @property
    def strength(self) -> float:
        return self.filled * self.believed


def may_serve(column: Column) -> list[Area]:
    """By the header alone."""
    words = words_of(column.name)
    return [
        area
        for area, rule in RULES.items()
        if re.search(rule.words, words) and not (area is Area.RETENTION and _TECHNICAL.search(words))
    ]


def field_of(area: Area, column: Column, distinct: int) -> Field:
    filled = column.present / column.rows if column.rows else 0.0
    believed = 1.0 if column.present and RULES[area].fits(column, distinct) else DOUBTED
    return Field(area, column, filled, believed)
