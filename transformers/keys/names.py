"""What the names of columns and tables say about who refers to whom."""

import re

_KEY_WORDS = {"id", "ids", "key", "code", "no", "nr", "num", "number", "uuid", "guid", "ref", "fk", "pk", "sk"}
_UPWARDS = re.compile(
    r"\b(parent|manager|supervisor|superior|boss|chief|lead(er)?|reports? to|mother|father|ancestor|root|previous|prev"
    r"|predecessor|successor|next|original|replace[sd]?( by)?|supersede[sd]?( by)?|referr(ed by|er)|reply to"
    r"|managed by)\b"
)
SAME, ENDS_ALIKE = 1.0, 0.8


def words_of(name: str) -> list[str]:
    """customerId, CUSTOMER_ID and customer-id are all [customer, id]."""
    spaced = re.sub(r"([a-z0-9])([A-Z])|([A-Z]+)([A-Z][a-z])", r"\1\3 \2\4", name)
    return re.sub(r"[\W_]+", " ", spaced).lower().split()


def stem_of(name: str) -> tuple[str, ...]:
    """The words without those that only say `key`, the last one in the singular."""
    kept = [word for word in words_of(name) if word not in _KEY_WORDS]
    return (*kept[:-1], _singular(kept[-1])) if kept else ()


def _singular(word: str) -> str:
    for plural, singular in (("ies", "y"), ("sses", "ss"), ("ches", "ch"), ("xes", "x")):
        if word.endswith(plural) and len(word) > len(plural) + 1:
            return word[: -len(plural)] + singular
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


def likeness(column: str, table: str, referenced: str) -> float:
    """How much `column` sounds like `table.referenced`: customer_id like customers.id, ship_city like city.code."""
    own, targets = stem_of(column), {stem_of(referenced), stem_of(table)} - {()}
    if not own:
        return 0.0
    if stem_of(referenced) and stem_of(table) and own == stem_of(table) + stem_of(referenced):
        return SAME
    if own in targets:
        return SAME
    return ENDS_ALIKE if any(own[-len(target) :] == target for target in targets) else 0.0


def points_upwards(column: str) -> bool:
    """Words for a row of the same table: a parent, a manager, a predecessor."""
    return _UPWARDS.search(" ".join(words_of(column))) is not None
