"""Whether a column's texts are where somebody lives: a street's word and a number, in many languages."""

import re
from collections.abc import Sequence

MOST = 0.35  # addresses without a word for street are many: Männi 12
LONGEST = 80
_WORDS = (
    "st|str|street|ave?|avenue|rd|road|blvd|boulevard|dr|drive|ln|lane|ct|court|way|pl|place|sq|square|terrace|crescent"
    "|close|highway|hwy|parkway|grove|rue|all[ée]e|chemin|impasse|quai|via|viale|corso|piazza|strada|vicolo|contrada"
    "|calle|c|avenida|avda|av|plaza|paseo|camino|carrera|rua|r|travessa|estrada|pra[çc]a|ul|ulica|al|aleja|utca|[úu]t|t[ée]r"
    "|gatan?|v[äa]gen?|vej|vei|gade|katu|tie|tee|maantee|t[äa]nav|laan|straat|weg|gasse|platz|sokak|caddesi|mahallesi"
    "|n[áa]m[ěe]st[íi]|cesta|leof|odos"
)
_STREET = re.compile(
    rf"(?i)\b(?:{_WORDS})\b\.?|\w{{3,}}(?:stra(?:ss|ß)e|str\.|weg|gasse|platz|allee|straat|laan|gracht|vej|gade|gatan|gata"
    r"|v[äa]gen|veien|veg|katu|tie|utca|kuja|polku|plein|steeg|damm|ring)\b|\bp\.? ?o\.? ?box\b"
)
_NUMBER = re.compile(r"(?:^\d{1,5}[a-zA-Z]?\b|[ ,]\d{1,5}[ -]?[a-zA-Z]?(?:/\d+)?\b)")


def are_addresses(texts: Sequence[str]) -> bool:
    return bool(texts) and sum(map(_is_address, texts)) >= MOST * len(texts)


def _is_address(text: str) -> bool:
    if not 6 <= len(text) <= LONGEST or " " not in text or text.endswith((".", "!", "?")):  # noqa: PLR2004  Via A 1
        return False
    return _NUMBER.search(text) is not None and _STREET.search(text) is not None and "@" not in text
