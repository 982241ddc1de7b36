# ruff: noqa: SIM905  lists of names are easier to read as words
"""50,000 made-up records of some 6,000 people, in the manner of Splink's historical figures: heavily corrupted.

A few people have many records, most have several; families share surname, place and often postcode. Nicknames,
initials, swapped and abbreviated names, typing errors, missing values, partial and wrong dates. Seeded; generated
data, so the figures are ours alone and compare to none on the real set.
"""

import random
from collections.abc import Iterator, Sequence

COLUMNS = ("full_name", "first_name", "surname", "dob", "birth_place", "postcode", "gender", "occupation")
NICKNAMES = {
    "william": ("bill", "will", "billy"), "robert": ("bob", "rob", "bobby"), "richard": ("dick", "rick"),
    "john": ("jack", "johnny"), "james": ("jim", "jimmy"), "edward": ("ted", "ned", "eddie"),
    "elizabeth": ("liz", "betty", "eliza"), "margaret": ("peggy", "maggie", "meg"), "mary": ("polly", "molly"),
    "catherine": ("kate", "kitty"), "thomas": ("tom",), "charles": ("charlie", "chas"), "henry": ("harry", "hal"),
    "joseph": ("joe",), "frances": ("fanny",), "sarah": ("sally",), "ann": ("nancy", "anne"),
}  # fmt: skip
MEN = tuple(
    "william robert richard john james edward thomas charles henry joseph george frederick arthur albert alfred samuel "
    "daniel david benjamin peter francis hugh walter ernest herbert philip andrew stephen".split()
)
WOMEN = tuple(
    "elizabeth margaret mary catherine frances sarah ann jane emma florence alice edith ellen harriet louisa charlotte "
    "emily annie clara agnes isabella rose ada eleanor helen lucy martha".split()
)
STARTS = tuple(
    "ash black brad carl clay dun east fair green hal har hay kir lang ley mar mid nor old pem rad rush shel stan "
    "thorn wal wes win".split()
)
MIDDLES = ("", "", "ing", "er", "en", "el", "ow")
ENDS = ("ton", "ford", "ley", "ham", "wood", "worth", "by", "son", "man", "well", "field", "burn", "shaw", "combe")
PLACES = tuple(f"{a}{b}" for a in STARTS for b in ("ton", "ford", "bury", "mouth", "chester", "pool"))
OCCUPATIONS = tuple(
    "politician painter writer clergyman engineer actor lawyer physician merchant soldier architect historian "
    "botanist poet journalist banker sculptor composer judge chemist explorer printer farmer teacher".split()
)
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def people(rows: int, entities: int, seed: int) -> Iterator[tuple[int, dict[str, str | None]]]:
    """(the person, the record), in no order of theirs."""
    chance = random.Random(seed)
    population = list(_population(chance, entities))
    weights = [chance.lognormvariate(0, 0.7) for _ in population]
    drawn = list(range(entities)) + chance.choices(range(entities), weights, k=rows - entities)
    chance.shuffle(drawn)
    for person in drawn:
        yield person, _record(chance, population[person])


def _population(chance: random.Random, entities: int) -> Iterator[dict[str, str]]:
    surnames = [a + b + c for a in STARTS for b in MIDDLES[1:] for c in ENDS]
    common = [1 / (rank + 5) for rank in range(len(surnames))]
    last: dict[str, str] | None = None
    for _ in range(entities):
        gender = chance.choice(("male", "female"))
        names = MEN if gender == "male" else WOMEN
        given = chance.choices(names, [1 / (rank + 2) for rank in range(len(names))], k=chance.choice((1, 1, 2)))
        family = last if last and chance.random() < 0.15 else None
        year = int(family["dob"][:4]) + chance.randint(-12, 12) if family else chance.randint(1780, 1930)
        last = {
            "given": " ".join(given),
            "surname": family["surname"] if family else chance.choices(surnames, common)[0],
            "dob": f"{year}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}",
            "birth_place": family["birth_place"] if family else chance.choice(PLACES),
            "postcode": family["postcode"] if family and chance.random() < 0.5 else _postcode(chance),
            "gender": gender,
            "occupation": chance.choice(OCCUPATIONS),
        }
        yield last


def _postcode(chance: random.Random) -> str:
    area = chance.choice(("ab", "bn", "cf", "dh", "ex", "gl", "hx", "ip", "ln", "ne", "ox", "sw", "tr", "wr", "yo"))
    return f"{area}{chance.randint(1, 28)} {chance.randint(1, 9)}{chance.choice(LETTERS)}{chance.choice(LETTERS)}"


def _record(chance: random.Random, person: dict[str, str]) -> dict[str, str | None]:
    bad = chance.choice((0.3, 0.7, 1.0, 1.6))  # some records are far worse than others

    def happens(share: float) -> bool:
        return chance.random() < share * bad

    given, surname = _given(chance, person["given"].split(), bad), person["surname"]
    if happens(0.12):
        surname = _typo(chance, surname)
    if happens(0.04):
        surname = chance.choice(("von ", "mac", "de ")) + surname
    if happens(0.06):
        given, surname = surname, given
    first = given.split(" ", maxsplit=1)[0]
    full = f"{given} {surname}"
    if happens(0.06):
        full = f"{surname}, {given}"
    return {
        "full_name": None if happens(0.02) else full,
        "first_name": None if happens(0.08) else first,
        "surname": None if happens(0.06) else surname,
        "dob": None if happens(0.15) else _date(chance, person["dob"], bad),
        "birth_place": None if happens(0.2) else _typed(chance, person["birth_place"], 0.08 * bad),
        "postcode": None if happens(0.25) else _code(chance, person["postcode"], bad),
        "gender": None if happens(0.1) else person["gender"],
        "occupation": None if happens(0.3) else _work(chance, person["occupation"], bad),
    }


def _given(chance: random.Random, names: list[str], bad: float) -> str:
    first = names[0]
    if first in NICKNAMES and chance.random() < 0.12 * bad:
        first = chance.choice(NICKNAMES[first])
    elif chance.random() < 0.06 * bad:
        first = first[0]
    elif chance.random() < 0.1 * bad:
        first = _typo(chance, first)
    rest = names[1:] if chance.random() > 0.3 * bad else []
    return " ".join([first, *(name[0] if chance.random() < 0.3 * bad else name for name in rest)])


def _date(chance: random.Random, date: str, bad: float) -> str:
    year, month, day = date.split("-")
    if chance.random() < 0.12 * bad:
        return f"{year}-01-01"
    if chance.random() < 0.05 * bad:
        return f"{year}-{day}-{month}" if int(day) <= 12 else f"{year}-{month}-{int(day) // 2 + 1:02}"
    if chance.random() < 0.08 * bad:
        return f"{int(year) + chance.choice((-10, -1, 1, 10))}-{month}-{day}"
    return f"{year}-{month}-{chance.randint(1, 28):02}" if chance.random() < 0.05 * bad else date


def _code(chance: random.Random, code: str, bad: float) -> str:
    if chance.random() < 0.12 * bad:
        return _postcode(chance)  # moved
    return _typed(chance, code, 0.1 * bad)


def _work(chance: random.Random, occupation: str, bad: float) -> str:
    return chance.choice(OCCUPATIONS) if chance.random() < 0.15 * bad else occupation


def _typed(chance: random.Random, text: str, share: float) -> str:
    return _typo(chance, text) if chance.random() < share else text


def _typo(chance: random.Random, text: str) -> str:
    for _ in range(chance.choice((1, 1, 2))):
        at = chance.randrange(len(text))
        letter = chance.choice(LETTERS)
        kinds: Sequence[str] = (
            text[:at] + text[at + 1 :],
            text[:at] + letter + text[at:],
            text[:at] + letter + text[at + 1 :],
            text[:at] + text[at + 1 : at + 2] + text[at] + text[at + 2 :],
        )
        text = chance.choice(kinds) or letter
    return text
