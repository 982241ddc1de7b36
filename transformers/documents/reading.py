"""A document in, clean passages out: sniff what the file is, read it by its format, clean it, keep the limits.

Runs in the agents' child process and knows neither memory nor network: nothing that a file refers to is fetched.
Whatever is wrong with the file is a CustomerError with a sentence for the customer.
"""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from pathlib import Path

from backend.errors import CustomerError, FileTooLarge, UnreadableFile
from transformers.documents.cleaning import cleaned
from transformers.documents.document_formats import DocumentFormat, sniff_document
from transformers.documents.passage import Passage
from transformers.intake.reading import SourceFile

# Characters of one document: four times the Bible; its chunks (about 10,000 of 512 tokens) fit one collection's run.
LONGEST_TEXT = 20_000_000
MOST_ROWS = 100_000  # of a table or of JSON lines; each is a chunk, which costs an embedding of its own

Reader = Callable[[SourceFile], Generator[Passage]]


def read_document(
    path: Path, name: str, scratch: Path, on_piece: Callable[[], None] = lambda: None
) -> Iterator[Passage]:
    """The document's cleaned passages in their order, at least one, none without text.

    `name` is the customer's name for the file; `scratch` is a folder for what a reader must write anew; `on_piece` is
    called with each page, row or section that was read, long before a PDF's first passage comes. Raises while it is
    iterated, with the file's name in the context: UnsupportedFormat; UnreadableFile (damaged, locked, not what
    its name says, without any text); FileTooLarge (a bomb, or more than LONGEST_TEXT or MOST_ROWS).
    """
    file = SourceFile(path=path, name=name, role="document", folder=scratch)
    try:
        with closing(_reader(sniff_document(path, name))(file)) as passages:  # its files with it, where a limit ends it
            yield from _within_limits(cleaned(_told(passages, on_piece)))
    except CustomerError as error:
        error.context = {"file": name, **error.context}
        raise
    finally:
        file.spool_path.unlink(missing_ok=True)


def _told(passages: Iterator[Passage], on_piece: Callable[[], None]) -> Iterator[Passage]:
    for passage in passages:
        on_piece()
        yield passage


def _within_limits(passages: Iterator[Passage]) -> Iterator[Passage]:
    characters = rows = 0
    for passage in passages:
        characters += len(passage.text)
        rows += passage.stands_alone
        if characters > LONGEST_TEXT:
            raise FileTooLarge(f"The document has more than {LONGEST_TEXT:,} characters of text; split it.")
        if rows > MOST_ROWS:
            raise FileTooLarge(f"The document has more than {MOST_ROWS:,} rows; split it.")
        yield passage
    if not characters:
        raise UnreadableFile("The document is empty: there is no text in it.")


def _reader(found: DocumentFormat) -> Reader:  # noqa: PLR0911 (one line for each format)
    match found:
        case DocumentFormat.TXT:
            from transformers.documents.plain_text import read_text

            return read_text
        case DocumentFormat.MD:
            from transformers.documents.markdown_text import read_markdown

            return read_markdown
        case DocumentFormat.HTML:
            from transformers.documents.web_pages import read_web_page

            return read_web_page
        case DocumentFormat.PDF:
            from transformers.documents.pdf_pages import read_pdf

            return read_pdf
        case DocumentFormat.DOCX:
            from transformers.documents.word_documents import read_word

            return read_word
        case DocumentFormat.XLSX:
            from transformers.documents.workbook_rows import read_sheets

            return read_sheets
        case DocumentFormat.CSV:
            from transformers.documents.table_rows import read_rows

            return read_rows
        case DocumentFormat.JSONL:
            from transformers.documents.json_objects import read_objects

            return read_objects
