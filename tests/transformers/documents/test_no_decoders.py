"""Images and fonts in documents are never decoded: no library that could is ever loaded, in the process that reads."""

import subprocess
import sys
import zlib
from pathlib import Path

from document_reading import TAGLESS, changed, with_body
from pdf_writing import drawn, stream_of
from test_document_pdfs import one_page

IMAGE = b"/Type /XObject /Subtype /Image /Width 60000 /Height 60000 /ColorSpace /DeviceRGB /BitsPerComponent 8 "
BOMB = zlib.compress(b"\0" * 2**20)
PICTURES = {"word/media/image1.png": b"\x89PNG\r\n\x1a\n" + BOMB, "word/fonts/font1.odttf": b"\0\1\0\0" + BOMB}
DECODERS = ("PIL", "fontTools", "freetype", "cairosvg", "imageio", "cv2", "pytesseract", "jbig2dec")
READ = """
import sys
from pathlib import Path
from transformers.documents.reading import read_document
for name in ("a.docx", "a.pdf", "a.html"):
    print(name, sum(len(p.text) for p in read_document(Path(name), name, Path("."))))
print("loaded", *sorted(set(sys.argv[1:]) & sys.modules.keys()))
"""


def test_a_document_with_images_and_fonts_is_read_and_nothing_is_loaded_that_decodes_them(tmp_path: Path) -> None:
    image = stream_of(b"\0" * 2**20, packed=True, more=IMAGE)
    page = stream_of(b"/I Do " + drawn("Beside it."))
    (tmp_path / "a.docx").write_bytes(changed(with_body(TAGLESS % b"Hello."), {}, PICTURES))
    (tmp_path / "a.pdf").write_bytes(one_page(page, b"/Font << /F1 3 0 R >> /XObject << /I 20 0 R >>", o20=image))
    (tmp_path / "a.html").write_text('<p>Hi.</p><img src="data:image/png;base64,AAAA"><svg><text>x</text></svg>')
    asked = [sys.executable, "-c", READ, *DECODERS]

    said = subprocess.run(asked, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)

    assert said.returncode == 0, said.stderr
    read, loaded = said.stdout.splitlines()[:3], said.stdout.splitlines()[3]
    assert [line.split()[0] for line in read if int(line.split()[1]) > 0] == ["a.docx", "a.pdf", "a.html"]
    assert loaded == "loaded"
