"""Small PDFs, written by hand: what the tests' files hold is all there, nothing is left to a library."""

import zlib
from collections.abc import Mapping, Sequence


def pdf_of(pages: Sequence[str], *, extra: Mapping[int, bytes] | None = None) -> bytes:
    """Each page's lines in Helvetica, from the top down. `extra` are objects of one's own, from number 1,000 on."""
    objects: dict[int, bytes] = {
        1: b"<< /Type /Catalog /Pages 2 0 R >>",
        3: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    }
    kids = []
    for position, text in enumerate(pages):
        page, content = 10 + 2 * position, 11 + 2 * position
        kids.append(b"%d 0 R" % page)
        objects[page] = (
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> "
            b"/Contents %d 0 R >>" % content
        )
        objects[content] = stream_of(drawn(text))
    objects[2] = b"<< /Type /Pages /Kids [%b] /Count %d >>" % (b" ".join(kids), len(kids))
    return pdf_file({**objects, **(extra or {})})


def drawn(text: str) -> bytes:
    """The operators that show a text's lines."""
    lines = []
    for number, line in enumerate(text.split("\n")):
        shown = line.encode("cp1252").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
        lines.append(b"BT /F1 12 Tf 50 %d Td (%b) Tj ET" % (800 - 15 * number, shown))
    return b"\n".join(lines)


def stream_of(content: bytes, *, packed: bool = False, more: bytes = b"") -> bytes:
    body = zlib.compress(content, 9) if packed else content
    kind = b" /Filter /FlateDecode" if packed else b""
    return b"<< /Length %d%b %b >>\nstream\n%b\nendstream" % (len(body), kind, more, body)


def pdf_file(objects: Mapping[int, bytes], trailer: bytes = b"") -> bytes:
    """With its table of objects."""
    body, places = b"%PDF-1.7\n", {}
    for number, content in sorted(objects.items()):
        places[number] = len(body)
        body += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    entries = b"".join(b"%d 1\n%010d 00000 n \n" % (number, at) for number, at in sorted(places.items()))
    table = b"xref\n0 1\n0000000000 65535 f \n" + entries
    size = max(places) + 1
    return (
        body + table + b"trailer\n<< /Size %d /Root 1 0 R %b >>\nstartxref\n%d\n%%%%EOF\n" % (size, trailer, len(body))
    )
