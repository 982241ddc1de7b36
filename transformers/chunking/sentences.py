"""Where sentences end, by the rules of Unicode's UAX #29, shortened to what a regular expression can say.

The splitter's library knows the whole rules and does not tell where it applied them. What is added to Unicode's: after
an initial or a frequent abbreviation no sentence ends.
"""

import re
from collections.abc import Iterator

ABBREVIATIONS = frozenset({
    "mr", "mrs", "ms", "dr", "prof", "st", "sr", "jr", "vs", "etc", "e.g", "i.e", "fig", "no", "vol", "pp",
    "ca", "cf", "al", "inc", "ltd", "co", "corp", "dept", "est", "approx", "z.b", "d.h", "u.a", "bzw", "usw",
    "ggf", "evtl", "nr", "abs", "art", "bd", "hr", "fr", "dipl", "ing", "mme", "mlle", "m", "p.ex", "ej", "sra",
    "dña",
})  # fmt: skip
# A mark, what closes after it, then a blank (needless after a full-width mark), and no small letter; or an empty line.
# Each run of marks is looked at once, from its first: ten thousand dots take ten times as long as a thousand.
END = re.compile(
    r"(?<![.…‥!?؟।॥։۔])(?P<stop>[.…‥!?؟।॥։۔]++)[\"'”’»)\]}]*+(?=\s)(?!\s++[a-zà-öø-ÿа-яα-ω])"
    r"|[。！？｡]+[」』”’）】]*|(?<=\S)(?=\s*\n\s*\n)"
)
WORD_BEFORE = re.compile(r"([^\s(\[{\"'“‘«]+)\Z")
LONGEST_ABBREVIATION = 12  # characters looked at before a full stop


def sentence_ends(text: str) -> Iterator[int]:
    """Positions behind the last sign of each sentence; the blanks after it belong to the next. Not the text's end."""
    for match in END.finditer(text):
        if match["stop"] != "." or not _is_abbreviation(
            text[max(0, match.start() - LONGEST_ABBREVIATION) : match.start()]
        ):
            yield match.end()


def _is_abbreviation(before: str) -> bool:
    found = WORD_BEFORE.search(before)
    if not found:
        return False
    word = found[1]
    return word.lower() in ABBREVIATIONS or (len(word) == 1 and word.isupper())
