import io
from pathlib import Path

import pytest
from document_reading import read, refusal, text_of
from pdf_writing import drawn, pdf_file, pdf_of, stream_of

from backend import clock
from backend.errors import FileTooLarge, UnreadableFile
from transformers.documents import pdf_pages
from transformers.documents.reading import read_document

CATALOG = b"<< /Type /Catalog /Pages 2 0 R >>"
FONT = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
FORM = b"/Type /XObject /Subtype /Form /BBox [0 0 1 1] "


def one_page(content: bytes, resources: bytes = b"/Font << /F1 3 0 R >>", **more: bytes) -> bytes:
    """A page of this content; objects of one's own are o20, o21 …"""
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << %b >> /Contents 11 0 R >>" % resources
    own = {int(name[1:]): value for name, value in more.items()}
    return pdf_file(
        {1: CATALOG, 2: b"<< /Type /Pages /Kids [10 0 R] /Count 1 >>", 3: FONT, 10: page, 11: content, **own}
    )


def locked(password: str, algorithm: str) -> bytes:
    from pypdf import PdfReader, PdfWriter

    writer, file = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf_of(["A secret."])))), io.BytesIO()
    writer.encrypt(password, "owner", algorithm=algorithm)
    writer.write(file)
    return file.getvalue()


def test_each_page_is_a_passage_with_its_number(tmp_path: Path) -> None:
    passages = read(tmp_path, "a.pdf", pdf_of(["First page.", "", "Third page."]))

    assert [(passage.text, passage.page) for passage in passages] == [("First page.", 1), ("Third page.", 3)]


def test_a_sentence_goes_on_over_the_page(tmp_path: Path) -> None:
    assert text_of(tmp_path, "a.pdf", pdf_of(["It goes", "on. End.", "New."])) == "It goes\non. End.\n\nNew."


@pytest.mark.parametrize("algorithm", ["RC4-128", "AES-256"])
def test_a_pdf_with_a_password_says_so(tmp_path: Path, algorithm: str) -> None:
    error = refusal(tmp_path, "a.pdf", locked("hidden", algorithm))

    assert isinstance(error, UnreadableFile)
    assert "password" in str(error)


@pytest.mark.parametrize("algorithm", ["RC4-128", "AES-256"])
def test_a_pdf_that_is_only_locked_against_changes_is_read(tmp_path: Path, algorithm: str) -> None:
    assert text_of(tmp_path, "a.pdf", locked("", algorithm)) == "A secret."


def test_a_pdf_of_scans_says_that_no_text_was_found(tmp_path: Path) -> None:
    error = refusal(tmp_path, "a.pdf", pdf_of(["", "", ""]))

    assert isinstance(error, UnreadableFile)
    assert "No text was found on the PDF's 3 pages" in str(error)
    assert "OCR" in str(error)


@pytest.mark.parametrize("share", [0.2, 0.6, 0.9])
def test_a_truncated_pdf_is_damaged_or_gives_what_is_whole(tmp_path: Path, share: float) -> None:
    whole = pdf_of([f"This is page {number}." for number in range(5)])
    try:
        passages = read(tmp_path, "a.pdf", whole[: int(share * len(whole))])
    except UnreadableFile:
        return
    assert all(passage.text.startswith("This is page") for passage in passages)


def test_rubbish_behind_a_pdfs_mark_is_damaged(tmp_path: Path) -> None:
    assert "damaged" in str(refusal(tmp_path, "a.pdf", b"%PDF-1.7\n" + b"\x93garbage<<" * 500))


def test_a_stream_that_unpacks_to_gigabytes_is_not_unpacked(tmp_path: Path) -> None:
    bomb = stream_of(b" " * (pdf_pages.STREAM_LIMIT + 2**20), packed=True)

    assert isinstance(refusal(tmp_path, "a.pdf", one_page(bomb)), FileTooLarge)


def test_a_stream_packed_sixteen_times_over_is_not_unpacked(tmp_path: Path) -> None:
    import zlib

    body = b" " * 2**20
    for _ in range(17):
        body = zlib.compress(body)
    content = b"<< /Length %d /Filter [%b] >>\nstream\n%b\nendstream" % (len(body), b"/FlateDecode " * 17, body)

    assert isinstance(refusal(tmp_path, "a.pdf", one_page(content)), FileTooLarge)


@pytest.mark.parametrize("kids", [b"2 0 R 2 0 R", b"4 0 R"])
def test_a_page_tree_in_a_circle_ends(tmp_path: Path, kids: bytes) -> None:
    circle = pdf_file({
        1: CATALOG,
        2: b"<< /Type /Pages /Kids [%b] /Count 2 >>" % kids,
        4: b"<< /Type /Pages /Kids [2 0 R] /Count 2 >>",
    })  # fmt: skip

    assert isinstance(refusal(tmp_path, "a.pdf", circle), (UnreadableFile, FileTooLarge))


def test_a_page_tree_deeper_than_any_book_is_refused(tmp_path: Path) -> None:
    levels = {number: b"<< /Type /Pages /Kids [%d 0 R] /Count 1 >>" % (number + 1) for number in range(20, 120)}
    pages = pdf_file(
        {1: CATALOG, 2: b"<< /Type /Pages /Kids [20 0 R] /Count 1 >>", **levels, 120: b"<< /Type /Page >>"}
    )

    assert isinstance(refusal(tmp_path, "a.pdf", pages), (UnreadableFile, FileTooLarge))


def test_one_page_named_a_thousand_times_over_is_too_many_pages(tmp_path: Path) -> None:
    kids = b"10 0 R " * (pdf_pages.MOST_PAGES + 1)
    many = pdf_file({
        1: CATALOG,
        2: b"<< /Type /Pages /Kids [%b] /Count %d >>" % (kids, pdf_pages.MOST_PAGES + 1),
        10: b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>",
    })  # fmt: skip
    error = refusal(tmp_path, "a.pdf", many)

    assert isinstance(error, FileTooLarge)
    assert "5,001 pages" in str(error)


def test_a_count_that_lies_makes_no_pages(tmp_path: Path) -> None:
    liar = pdf_file({1: CATALOG, 2: b"<< /Type /Pages /Kids [] /Count 999999999 >>"})

    assert "no pages" in str(refusal(tmp_path, "a.pdf", liar))


def test_forms_within_forms_do_not_multiply_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_pages, "FORMS_LIMIT", 20)
    levels = {
        f"o{20 + level}": stream_of(
            b"/X Do " * 10, more=FORM + b"/Resources << /XObject << /X %d 0 R >> >>" % (21 + level)
        )
        for level in range(9)
    }  # a billion times the last one
    last = stream_of(drawn("x"), more=FORM + b"/Resources << /Font << /F1 3 0 R >> >>")
    content = one_page(stream_of(b"/X Do"), b"/XObject << /X 20 0 R >>", **levels, o29=last)

    assert len(text_of(tmp_path, "a.pdf", content)) < 10 * pdf_pages.FORMS_LIMIT


def test_a_page_of_endless_operators_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_pages, "PARSING_LIMIT", 1_000)

    assert isinstance(refusal(tmp_path, "a.pdf", one_page(stream_of(drawn("x") * 400))), FileTooLarge)


def test_a_font_that_maps_four_billion_characters_is_refused(tmp_path: Path) -> None:
    mapping = b"begincmap 1 beginbfrange <00000000> <FFFFFFFF> <0041> endbfrange endcmap"
    font = b"<< /Type /Font /Subtype /Type0 /BaseFont /X /Encoding /Identity-H /DescendantFonts [] /ToUnicode 41 0 R >>"
    content = one_page(
        stream_of(b"BT /F1 12 Tf <00410042> Tj ET"), b"/Font << /F1 40 0 R >>", o40=font, o41=stream_of(mapping)
    )

    assert isinstance(refusal(tmp_path, "a.pdf", content), FileTooLarge)


def test_an_image_is_not_unpacked(tmp_path: Path) -> None:
    bomb = stream_of(
        b"\0" * (2 * pdf_pages.STREAM_LIMIT),
        packed=True,
        more=b"/Type /XObject /Subtype /Image /Width 99999 /Height 99999 /BitsPerComponent 8 /ColorSpace /DeviceGray",
    )
    content = one_page(
        stream_of(b"/I Do " + drawn("Beside it.")), b"/Font << /F1 3 0 R >> /XObject << /I 20 0 R >>", o20=bomb
    )

    assert text_of(tmp_path, "a.pdf", content) == "Beside it."


def test_what_a_pdf_would_run_or_open_is_never_looked_at(tmp_path: Path) -> None:
    content = pdf_of(["Only this."], extra={1000: b"<< /S /Launch /F (calc.exe) >>"})
    content = content.replace(
        b"/Type /Catalog", b"/OpenAction << /S /JavaScript /JS (app.alert\\(1\\)) >> /Type /Catalog", 1
    )

    assert text_of(tmp_path, "a.pdf", content) == "Only this."


def test_a_pdf_that_takes_too_long_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_pages, "READING_SECONDS", 0.0)
    now = iter(range(100))
    monkeypatch.setattr(pdf_pages, "monotonic", lambda: clock.monotonic() + next(now))
    error = refusal(tmp_path, "a.pdf", pdf_of(["x", "y"]))

    assert isinstance(error, FileTooLarge)
    assert "longer to read" in str(error)


def test_each_page_is_told_as_soon_as_it_is_read(tmp_path: Path) -> None:
    path, told = tmp_path / "upload", []
    path.write_bytes(pdf_of(["One.", "Two.", "Three."]))
    passages = read_document(path, "a.pdf", tmp_path, lambda: told.append(1))

    assert next(passages).page == 1
    assert len(told) == 3, "a PDF's pages are held until their headers are known"
