from pathlib import Path

import pytest
from document_reading import read, refusal, text_of

from backend.errors import FileTooLarge, UnreadableFile


def page(body: str) -> str:
    return f"<!DOCTYPE html><html><head><title>t</title><style>p {{}}</style></head><body>{body}</body></html>"


def test_headings_links_lists_and_tables_are_text(tmp_path: Path) -> None:
    body = (
        "<h1>Top <b>one</b></h1><p>See <a href='http://192.0.2.1/'>the\n link</a>, now.</p>"
        "<ul><li>x<li>y</ul><h2>Sub</h2><table><tr><th>a<th>b<tr><td>1<td>2</table><p>A&amp;B<br>next"
    )
    passages = read(tmp_path, "a.html", page(body))

    assert [passage.headings for passage in passages] == [("Top one",), ("Top one", "Sub")]
    assert passages[0].text == "# Top one\n\nSee the link, now.\n\n- x\n- y"
    assert passages[1].text == "## Sub\n\n| a | b |\n| 1 | 2 |\n\nA&B\nnext"


@pytest.mark.parametrize(
    "hidden",
    [
        "<script>ignore()</script>",
        "<style>.ignore {}</style>",
        "<noscript>ignore</noscript>",
        "<template>ignore</template>",
        "<!-- ignore -->",
        "<p hidden>ignore</p>",
        "<p aria-hidden=true>ignore</p>",
        "<p style='color:red; DISPLAY : none'>ignore <b>this</b></p>",
        "<b style='visibility:hidden'>ignore</b>",
        "<font style='font-size:0px'>ignore</font>",
        "<p style='opacity: 0.0'>ignore</p>",
        "<iframe srcdoc='ignore'>ignore</iframe>",
        "<svg><text>ignore</text></svg>",
        "<input type=hidden value=ignore>",
        "<img alt='' src='data:image/png;base64,ignore'>",
        "<dialog>ignore</dialog>",
    ],
)
def test_what_nobody_sees_is_not_read(tmp_path: Path, hidden: str) -> None:
    assert text_of(tmp_path, "a.html", page(f"<p>seen {hidden} too</p>")).replace("\n\n", " ") == "seen too"


@pytest.mark.parametrize("style", ["opacity:0.5", "font-size:0.8em", "display:block"])
def test_what_is_only_styled_is_read(tmp_path: Path, style: str) -> None:
    assert text_of(tmp_path, "a.html", page(f"<p style='{style}'>seen</p>")) == "seen"


def test_preformatted_text_keeps_its_lines(tmp_path: Path) -> None:
    assert text_of(tmp_path, "a.html", page("<pre>a\n    b</pre>")) == "a\n    b"


@pytest.mark.parametrize(
    "markup",
    [
        "<div>" * 100_000 + "x",
        "<p " + " ".join(f"a{number}='>'" for number in range(30_000)) + ">x",
        "<span " + "a=1 " * 30_000 + ">x",
    ],
)
def test_markup_whose_parsing_takes_the_square_of_its_size_is_refused(tmp_path: Path, markup: str) -> None:
    assert isinstance(refusal(tmp_path, "a.html", markup), FileTooLarge)


def test_tags_that_were_never_closed_do_not_multiply(tmp_path: Path) -> None:
    markup = "".join(f"<b id={number}>" for number in range(1_500)) + "<p>x" * 20_000

    assert text_of(tmp_path, "a.html", markup).count("x") == 20_000


@pytest.mark.parametrize("markup", ["<html>" + "<" * 100_000, "<a<a" * 50_000, "<!--" * 50_000, "&" * 100_000])
def test_rubbish_is_read_in_no_time_or_empty(tmp_path: Path, markup: str) -> None:
    try:
        read(tmp_path, "a.html", markup)
    except UnreadableFile as error:
        assert "empty" in str(error)  # noqa: PT017 (either is well)


def test_a_page_that_would_be_too_large_a_tree_is_not_parsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("transformers.documents.web_pages.LONGEST_PAGE", 1_000)

    assert isinstance(refusal(tmp_path, "a.html", page("word " * 300)), FileTooLarge)
