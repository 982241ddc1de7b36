"""What every reader of documents gives: a piece of text, and where in the document it stands."""

from collections.abc import Mapping
from dataclasses import dataclass, field

Scalar = str | int | float | bool
PARAGRAPHS = "\n\n"


@dataclass(frozen=True, slots=True)
class Passage:
    """A section, a page, or a row. The document's text is its passages' texts, each after its `joint`.

    What stands alone (a row) is never joined with its neighbours in one chunk. `row` counts from 1, the header not
    counted; `metadata` is what the file itself says of this passage (a JSON object's other fields).
    """

    text: str
    page: int | None = None
    headings: tuple[str, ...] = ()  # the path, the highest first; the last one stands in the text too
    sheet: str | None = None
    row: int | None = None
    is_markdown: bool = False  # indents and line ends mean something
    stands_alone: bool = False
    joint: str = PARAGRAPHS  # what stands between the passage before and this one
    metadata: Mapping[str, Scalar] = field(default_factory=dict)
