"""Whether a column's texts name people: whole names, given names or surnames, whatever the column is called."""

import re
import unicodedata
from collections.abc import Sequence

from transformers.risk.given_names import GIVEN_NAMES
from transformers.risk.surnames import ENDINGS, SURNAMES

ABOUND = 0.25  # of the cells hold a known name: words, places and products do not
SURNAMES_ABOUND = 0.3  # more, since many surnames are words too
ORGANISED = 0.1  # cells that name a company: then the others do as well
FEWEST = 5  # different known names
MOST_WORDS = 5
_NAME = re.compile(
    r"[^\W\d_][^\W\d_'’. -]*(?:[ '’.-]+[^\W\d_'’. -]+)*\.?(?:, ?[^\W\d_'’ -][^\W\d_,]*(?: [^\W\d_,.]+\.?)*)?"
)
_ORGANISATION = re.compile(
    r"(?i)\b(ltd|llc|llp|inc|corp|co|company|gmbh|ag|kg|sa|sarl|sas|srl|spa|bv|nv|ab|as|oy|plc|pty|sons|bros|brothers|group"
    r"|holdings?|systems?|foods?|bank|hotels?|restaurant|cafe|bar|store|shop|school|university|college|church|hospital"
    r"|clinic|center|centre|brewing|brewery|beer|ale|ipa|lager|stout|logistics|services?|solutions?|partners|associates"
    r"|industries|international|society|institute|museum|airport|station|street|road|avenue|park)\b|&"
)
_TITLES = frozenset(
    """mr mrs ms miss mx dr prof herr frau m mme mlle monsieur madame sr sra srta senor senora dhr mevr mw sig
    sig.ra dott hr fru pan pani""".split()  # noqa: SIM905  the words of many languages
)
_SEXES = frozenset(
    """male female man woman m f w d x other divers diverse nonbinary non-binary mannlich weiblich homme femme
    hombre mujer masculino feminino femenino uomo donna maschio femmina kobieta mezczyzna vrouw kvinna mand
    kvinde mann muz zena unknown unspecified u""".split()  # noqa: SIM905  the words of many languages
)
_TELLING_SEXES = _SEXES - {"m", "f", "w", "d", "x", "u", "other", "unknown", "unspecified", "divers", "diverse"}


def plain(text: str) -> str:
    """Lower case, without accents."""
    folded = text.lower().translate(str.maketrans("øłđæœßðþ’", "olda" + "osdt'"))
    return "".join(c for c in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(c))


def are_people(texts: Sequence[str], *, called_so: bool = False) -> bool:
    """`texts` are the cells, repeats included. Of a column that is called so, half as many are enough."""
    if not texts or sum(_ORGANISATION.search(text) is not None for text in texts) > ORGANISED * len(texts):
        return False
    known = {text: _known(text) for text in set(texts)}
    given = [text for text in texts if known[text][0]]
    surnames = [text for text in texts if known[text][1]]
    least = len(texts) / (2 if called_so else 1)
    return _abound(given, ABOUND * least) or _abound(surnames, SURNAMES_ABOUND * least)


def _abound(found: Sequence[str], least: float) -> bool:
    return len(found) >= least and len({plain(text) for text in found}) >= FEWEST


def _known(text: str) -> tuple[bool, bool]:
    """(begins or ends with a given name, ends or begins with a surname); of several people, the first."""
    text = re.split(r"[;,/|]| and ", text.strip(), maxsplit=1)[0]
    words = [word for word in re.split(r"[\s,.]+", plain(text)) if word.strip("'-")]
    if not 0 < len(words) <= MOST_WORDS or any(c.isdigit() for c in text) or not _NAME.fullmatch(text.strip()):
        return False, False
    while len(words) > 1 and words[0] in _TITLES:
        words = words[1:]
    ends = (words[0], words[-1])
    given = any(word in GIVEN_NAMES or word.partition("-")[0] in GIVEN_NAMES for word in ends)
    short = len(words) <= 3  # noqa: PLR2004  a surname of three words is rare, a phrase is not
    return given, short and any(word in SURNAMES or ENDINGS.fullmatch(word) for word in ends)


def are_titles(texts: Sequence[str]) -> bool:
    return _within(texts, _TITLES) and len({plain(text).rstrip(".") for text in texts} & _TITLES) > 1


def are_sexes(texts: Sequence[str]) -> bool:
    """Male and female, or M and F and nothing else."""
    words = {plain(text) for text in texts}
    return _within(texts, _SEXES) and (len(words & _TELLING_SEXES) > 1 or {"m", "f"} <= words or {"m", "w"} <= words)


def _within(texts: Sequence[str], words: frozenset[str]) -> bool:
    return bool(texts) and all(plain(text).rstrip(".") in words for text in set(texts))
