"""docs/decisions/README.md: the decisions by number, newest last, each by its own heading."""

from tests.docs.pages import ROOT

INTRO = """# Decisions

What was decided, why, what was tried and not taken, and what follows. A record is written when it is decided, and
stays as it was: a later one says what changed.

"""


def decisions_page() -> str:
    files = sorted((ROOT / "docs" / "decisions").glob("0*.md"))
    heads = [(file.name, file.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")) for file in files]
    return INTRO + "".join(f"- [{head}]({name})\n" for name, head in heads)
