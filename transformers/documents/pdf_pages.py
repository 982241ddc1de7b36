"""PDF: the text of each page, by pypdf. Its actions, links and images are never looked at, and nothing is run.

A PDF is a graph that its author drew: every way to make a small file cost much (streams that unpack to gigabytes,
page trees in circles, forms within forms, a page named a thousand times) meets a limit here or in pypdf.
"""

import logging
import zlib
from collections.abc import Generator, Iterator
from struct import error as struct_error
from typing import TYPE_CHECKING

from backend.clock import monotonic
from backend.errors import FileTooLarge, UnreadableFile
from transformers.documents.passage import PARAGRAPHS, Passage
from transformers.intake.reading import SourceFile, blames_the_machine

if TYPE_CHECKING:
    from pypdf import Configuration, PdfReader

MOST_PAGES = 5_000  # the longest manuals
STREAM_LIMIT = 32 * 2**20  # bytes that one stream may unpack to: a page's text and lines have some hundred KiB
READING_SECONDS = 600.0  # for the whole document; pypdf reads ten pages a second at least
PARSING_LIMIT = 1_000_000  # operators and operands of a page: one of small print has 50,000
FORMS_LIMIT = 500  # forms within a page, those within forms counted
DEEPEST_TREE = 50  # levels of the page tree; a balanced one of MOST_PAGES has four
# What pypdf lets through from a file that is not as it should be, besides its own errors.
DAMAGE = (
    ArithmeticError, AssertionError, AttributeError, LookupError, NotImplementedError, OSError, TypeError,
    ValueError, struct_error, zlib.error,
)  # fmt: skip
SENTENCE_ENDS = (".", "!", "?", ":", "…", "”", '"', "。", "！", "？")


def read_pdf(file: SourceFile) -> Generator[Passage]:
    """One passage a page, those without text left out. A document of scans has none and is an error."""
    from pypdf import PdfReader, apply_configuration
    from pypdf.errors import DependencyError, LimitReachedError, PyPdfError

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # a warning for each odd object of a customer's file
    try:
        with file.path.open("rb") as stream, apply_configuration(_limits()):
            reader = PdfReader(stream, strict=False)
            _unlock(reader)
            yield from _passages(reader)
    except (LimitReachedError, RecursionError) as error:
        raise FileTooLarge(
            "The PDF asks for more than is safe to unpack or follow; print it to a new PDF and upload that.",
            detail=repr(error),
        ) from error
    except DependencyError as error:
        raise UnreadableFile("The PDF is encrypted in a way that is not supported.", detail=repr(error)) from error
    except (PyPdfError, *DAMAGE) as error:
        if blames_the_machine(error):
            raise
        raise UnreadableFile("The PDF is damaged or incomplete.", detail=repr(error)) from error


def _limits() -> "Configuration":
    from pypdf import Configuration

    return Configuration(
        maximum_declared_stream_length=2 * STREAM_LIMIT,  # images lie in streams too
        array_based_stream_maximum_output_length=STREAM_LIMIT,
        lzw_maximum_output_length=STREAM_LIMIT,
        run_length_maximum_output_length=STREAM_LIMIT,
        zlib_maximum_output_length=STREAM_LIMIT,
        brotli_maximum_output_length=STREAM_LIMIT,
        stream_decoding_work_maximum_length=4 * STREAM_LIMIT,
        stream_parsing_work_maximum_count=PARSING_LIMIT,
        page_tree_maximum_entries=2 * MOST_PAGES,
        page_tree_maximum_page_entries=100 * MOST_PAGES,
        page_tree_maximum_depth=DEEPEST_TREE,
        xform_maximum_invocations_per_extraction=FORMS_LIMIT,
        jbig2dec_binary=None,  # no program of the machine is started
    )


def _unlock(reader: "PdfReader") -> None:
    """Many PDFs are encrypted only against changes, and open without a password."""
    from pypdf import PasswordType

    if reader.is_encrypted and reader.decrypt("") == PasswordType.NOT_DECRYPTED:
        raise UnreadableFile("The PDF is protected by a password. Save it without one and upload it again.")


def _passages(reader: "PdfReader") -> Iterator[Passage]:
    pages = len(reader.pages)
    if not pages:
        raise UnreadableFile("The PDF is empty: it has no pages.")
    if pages > MOST_PAGES:
        raise FileTooLarge(f"The PDF has {pages:,} pages; {MOST_PAGES:,} may be read. Split it.", pages=pages)
    ends, found, before = monotonic() + READING_SECONDS, False, ""
    for number, page in enumerate(reader.pages, start=1):
        if monotonic() > ends:
            raise FileTooLarge(f"The PDF takes longer to read than {READING_SECONDS:.0f} seconds. Split it.")
        text = page.extract_text().strip()
        if text:
            yield Passage(text, page=number, joint=_joint(before))
            found, before = True, text
    if not found:
        raise UnreadableFile(
            f"No text was found on the PDF's {pages:,} pages: they seem to be images, such as scans. "
            "Let a program for text recognition (OCR) add the text, and upload it again."
        )


def _joint(before: str) -> str:
    """A page that ends within a sentence is followed by the rest of it."""
    return PARAGRAPHS if not before or before.endswith(SENTENCE_ENDS) else "\n"
