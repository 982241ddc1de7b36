"""The text of a file as UTF-8, whatever it was saved in. No character is lost in silence.

A clean UTF-8 file is read where it lies; another encoding is written anew beside it; a UTF-8 file with some foreign
bytes keeps them as surrogate escapes, so that the reader can name the rows.
"""

import codecs
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from transformers.intake.reading import SourceFile

CHUNK = 2**20
HEAD = 64 * 1024  # enough to see a signature, a BOM and the rhythm of UTF-16
JUDGED_LINES = 2_000  # lines with other than ASCII that decide between mixed and foreign
JUDGED_BYTES = 32 * 1024  # what charset-normalizer sees: it takes a second for 100 KB
UTF16_ZEROS = 0.3  # Latin text in UTF-16 has a zero in nearly every second byte; CJK text has fewer
BYTE_ORDER_MARKS = (  # UTF-32 first: its mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# What people's programs still write. A longer list only finds more look-alikes (cp775 for French, seen here).
FOREIGN = (
    "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "koi8_r", "mac_roman",
    "big5", "gb18030", "cp932", "euc_jp", "cp949",
)  # fmt: skip
TOO_FEW = 12  # bytes beyond ASCII that no guess can rest on (eight of them were taken for Cyrillic, seen here)
WESTERN_MARGIN = 0.03  # charset-normalizer's "chaos" by which another code page must beat Windows-1252
AFTER_SMALL = re.compile(r"(?<=[a-z])[^\x00-\x7f]")
PUNCTUATION = "’”“‘…–—»\xa0"
ESCAPED = re.compile("[\udc80-\udcff]")


@dataclass(frozen=True)
class Text:
    """Where the UTF-8 lies (after `start` bytes of BOM), and what in it needs care."""

    path: Path
    encoding: str  # as the customer saved it
    start: int = 0
    has_foreign_bytes: bool = False
    has_nuls: bool = False
    replaced: int = 0  # characters that the encoding could not explain, and that had to be guessed

    @property
    def is_clean(self) -> bool:
        return not (self.has_foreign_bytes or self.has_nuls)

    def pieces(self, size: int) -> Iterator[str]:
        """All of it in turn, mended: for readers that do not know rows before they have parsed them."""
        with self.open() as stream:
            while piece := stream.read(size):
                mended = unescaped(piece) if self.has_foreign_bytes else piece
                yield mended.replace("\0", "") if self.has_nuls else mended

    def open(self) -> io.TextIOWrapper:
        """Line ends as they are; foreign bytes as surrogate escapes for `unescaped` to explain."""
        raw = self.path.open("rb")
        raw.seek(self.start)
        return io.TextIOWrapper(raw, encoding="utf-8", errors="surrogateescape", newline="")


def as_utf8(source: SourceFile) -> Text:
    head = head_of(source.path)
    encoding, start = marked_encoding(head)
    if encoding not in (None, "utf-8"):
        return _rewritten(source, str(encoding), start)
    nuls, valid = _survey(source.path)
    if valid:
        return Text(source.path, "utf-8", start, has_nuls=nuls)
    foreign = _foreign_encoding(source.path)
    if foreign:
        return _rewritten(source, foreign, start)
    return Text(source.path, "utf-8", start, has_foreign_bytes=True, has_nuls=nuls)


def head_of(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(HEAD)


def marked_encoding(head: bytes) -> tuple[str | None, int]:
    """The encoding that the first bytes give away, and the length of the mark; None when they say nothing."""
    for mark, encoding in BYTE_ORDER_MARKS:
        if head.startswith(mark):
            return encoding, len(mark)
    half = max(1, len(head) // 2)
    even, odd = head[::2].count(0) / half, head[1::2].count(0) / half
    if odd > UTF16_ZEROS > 10 * even:
        return "utf-16-le", 0
    if even > UTF16_ZEROS > 10 * odd:
        return "utf-16-be", 0
    return None, 0


def unescaped(text: str) -> str:
    """Foreign bytes read as Windows-1252; the five bytes it leaves open as the control characters of Latin-1."""
    return ESCAPED.sub(lambda match: _western(ord(match[0]) - 0xDC00), text)


def _western(byte: int) -> str:
    try:
        return bytes([byte]).decode("cp1252")
    except UnicodeDecodeError:
        return chr(byte)


def _survey(path: Path) -> tuple[bool, bool]:
    """Are there NULs; is all of it UTF-8?"""
    nuls, valid = False, True
    decoder = codecs.getincrementaldecoder("utf-8")()
    for chunk in _chunks(path, 0):
        nuls = nuls or b"\0" in chunk
        try:
            valid = valid and decoder.decode(chunk) is not None
        except UnicodeDecodeError:
            valid = False
    try:
        decoder.decode(b"", final=valid)
    except UnicodeDecodeError:
        valid = False
    return nuls, valid


def _foreign_encoding(path: Path) -> str | None:
    """None when most lines with other than ASCII are UTF-8, or nearly: then what is not is the exception."""
    lines = _lines_beyond_ascii(path)
    good = sum(_is_mostly_utf8(line) for line in lines)
    if good and good >= len(lines) - good:
        return None
    return _best_guess(b"".join(lines)[:JUDGED_BYTES])


def _lines_beyond_ascii(path: Path) -> list[bytes]:
    found: list[bytes] = []
    with path.open("rb") as stream:
        while len(found) < JUDGED_LINES and (line := stream.readline(CHUNK)):
            if not line.isascii():
                found.append(line)
    return found


def _is_mostly_utf8(line: bytes) -> bool:
    """Of a line beyond ASCII. It may be a whole file, as JSON often is, so that one foreign byte must not spoil it."""
    text = line.decode(errors="surrogateescape")
    foreign = sum(1 for _ in ESCAPED.finditer(text))
    beyond_ascii = len(text) - len(text.encode("ascii", errors="ignore"))
    return beyond_ascii - foreign > foreign


def _best_guess(sample: bytes) -> str:
    """Windows-1252 unless another code page reads clearly better: between look-alikes the most frequent one."""
    from charset_normalizer import from_bytes

    if sum(byte > 127 for byte in sample) < TOO_FEW:  # noqa: PLR2004 (ASCII's last)
        return "mac_roman" if _reads_as_words(sample, "mac_roman") > _reads_as_words(sample, "cp1252") else "cp1252"
    matches = list(from_bytes(sample, cp_isolation=list(FOREIGN)))
    if not matches:
        return "cp1252"
    western = next((match for match in matches if "cp1252" in match.could_be_from_charset), None)
    if western and western.chaos <= matches[0].chaos + WESTERN_MARGIN:
        return "cp1252"
    return matches[0].encoding


def _reads_as_words(sample: bytes, encoding: str) -> int:
    """Foreign letters after a small one: small ones too, in a word; a capital or a sign speaks against it."""
    signs = AFTER_SMALL.findall(sample.decode(encoding, errors="replace"))
    return sum(1 if sign.islower() else 0 if sign in PUNCTUATION else -1 for sign in signs)


def _rewritten(source: SourceFile, encoding: str, start: int) -> Text:
    decoder = codecs.getincrementaldecoder(encoding)(_errors_of(encoding))
    nuls, replaced = False, 0
    with source.spool_path.open("w", encoding="utf-8", newline="") as spool:
        for chunk in (*_chunks(source.path, start), b""):
            text = decoder.decode(chunk, final=not chunk)
            guessed = sum(1 for _ in ESCAPED.finditer(text)) if not text.isascii() else 0
            replaced += guessed or text.count("\ufffd")
            nuls = nuls or "\0" in text
            spool.write(unescaped(text) if guessed else text)
    return Text(source.spool_path, encoding, has_nuls=nuls, replaced=replaced)


def _errors_of(encoding: str) -> str:
    return "replace" if encoding.startswith("utf") else "surrogateescape"


def _chunks(path: Path, start: int) -> Iterator[bytes]:
    with path.open("rb") as stream:
        stream.seek(start)
        while chunk := stream.read(CHUNK):
            yield chunk
