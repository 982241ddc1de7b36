"""What free text says of people in words: a number behind the word passport, a name behind Mr., a date behind born.

A number alone in a sentence may be anything; the word before it tells. Source of the idea: recognisers with context.
"""

import re
from collections.abc import Iterator

from transformers.risk.given_names import GIVEN_NAMES
from transformers.risk.people import plain
from transformers.risk.personal_data import PersonalKind, is_us_ssn
from transformers.risk.surnames import ENDINGS, SURNAMES

_DATE = (
    r"\d{1,4}[-/. ]\d{1,2}[-/. ]\d{2,4}|\d{1,2}(?:st|nd|rd|th)? [A-Z][a-z]{2,8},? \d{4}|[A-Z][a-z]{2,8} \d{1,2},? \d{4}"
)
_SAID = r"(?:\s*(?:is|was|ist|es|no|nr|number|num|nummer|numero)\b)?[\s.:=#]{1,3}"
_NUMBER_SAID = r"(?:\s*(?:no|nr|number|nummer|numero)\b)[\s.:#]{1,3}"
_BEHIND: dict[PersonalKind, re.Pattern[str]] = {
    PersonalKind.PASSWORD: re.compile(
        r"(?i)\b(?:password|passwd|pwd|passwort|kennwort|contraseña|mot de passe)\s*(?:is\b|[:=])\s*(\S{4,64})"
    ),
    PersonalKind.SECRET: re.compile(
        r"(?i)\b(?:api[_ -]?key|secret|access[_ -]?token|bearer)\b\s*[:=]?\s*([\w/+-]*\d[\w/+-]{11,})"
    ),
    PersonalKind.US_SSN: re.compile(rf"(?i)\b(?:ssn|social security){_SAID}(\d{{9}}|\d{{3}} \d{{2}} \d{{4}})\b"),
    PersonalKind.DATE_OF_BIRTH: re.compile(
        r"(?i:\b(?:born(?: on)?|dob|d\.o\.b\.?|date of birth|birthday|geboren(?: am)?|née? le|nacid[oa] el))"
        rf"[\s:,]*(?:is )?({_DATE})"
    ),
    PersonalKind.NATIONAL_ID: re.compile(
        r"(?i)\b(?:passport|driver'?s? licen[cs]e|reisepass|pasaporte|passeport|national id)"
        rf"{_SAID}([a-z]{{0,3}}\d{{5,9}})\b"
    ),
    PersonalKind.BANK_ACCOUNT: re.compile(rf"(?i)\b(?:account|acct|konto|cuenta){_NUMBER_SAID}(\d[\d -]{{5,20}}\d)"),
    PersonalKind.PHONE: re.compile(
        r"(?i)\b(?:call|phone|tel|mobile|cell|fax|whatsapp|telefon|ring)\b[.:]?\s*(?:(?:me|us|him|her|them) )?"
        r"(?:(?:at|on) |: )?([+(]?\d[\d ().-]{5,17}\d)(?![\w:])"
    ),
}
_WORDS = re.compile(
    r"(?i)passw|pwd|kennwort|contrase|mot de passe|key|secret|token|bearer|ssn|social|born|d\.?o\.?b|birth|gebor"
    r"|née? le|nacid|passport|licen[cs]e|reisepass|pasaporte|passeport|national|acc|konto|cuenta"
    r"|call|phone|tel|mobile|cell|fax|whatsapp|ring"
)
_TITLED = re.compile(
    r"\b(?:Mr|Mrs|Ms|Miss|Dr|Prof|Herr|Frau|Mme|Monsieur|Madame|Sr|Sra|Señora?)\.? ([A-Z]\w+(?:[ -][A-Z]\w+)?)"
)
_SMALL = re.compile(r"(?:^|\s)[^\W\d_A-Z][^\W\d_]*(?=[\s,.]|$)")
SMALL_WORDS = 3  # a sentence has them; the names of schools, beers and firms are written large
_TWO = re.compile(r"\b([A-Z][^\W\d_]+) (?:[A-Z]\. )?([A-Z][^\W\d_]+)\b")


def spoken_of(text: str) -> Iterator[tuple[PersonalKind, str]]:
    """(kind, the words) of what a sentence says of somebody."""
    if _WORDS.search(text):
        for kind, form in _BEHIND.items():
            for match in form.finditer(text):
                if kind is not PersonalKind.US_SSN or is_us_ssn(match[1].replace(" ", "")):
                    yield kind, match[1]
    if len(_SMALL.findall(text)) >= SMALL_WORDS:
        yield from ((PersonalKind.PERSON_NAME, name) for name in _names(text))


def _names(text: str) -> Iterator[str]:
    for match in _TITLED.finditer(text):
        if any(_is_known(plain(word)) for word in re.split(r"[ -]", match[1])):
            yield match[1]
    for match in _TWO.finditer(text):
        if plain(match[1]) in GIVEN_NAMES and _is_surname(plain(match[2])):
            yield match[0]


def _is_known(word: str) -> bool:
    return word in GIVEN_NAMES or _is_surname(word)


def _is_surname(word: str) -> bool:
    return word in SURNAMES or ENDINGS.fullmatch(word) is not None
