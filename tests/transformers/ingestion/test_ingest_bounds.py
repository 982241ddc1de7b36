"""What is held at submit: never less than the documents may need."""

from tests.transformers.ingestion.ingest_forms import form
from transformers.ingestion.bounds import DOCUMENTS, most_tokens, most_usage
from transformers.tool import GivenFile


def given(**sizes: int) -> dict[str, list[GivenFile]]:
    return {DOCUMENTS: [GivenFile(name.replace("_", "."), size, lambda: b"") for name, size in sizes.items()]}


def test_plain_text_may_take_as_many_tokens_as_it_has_bytes() -> None:
    assert most_tokens({"a.txt": 1000}, 100, 0) == 1000


def test_what_two_chunks_share_is_embedded_twice() -> None:
    assert most_tokens({"a.txt": 1000}, 100, 50) == 2000


def test_packed_files_may_unfold() -> None:
    assert most_tokens({"a.docx": 1000}, 100, 0) > most_tokens({"a.txt": 1000}, 100, 0)


def test_every_collection_is_held_for_and_a_finished_one_is_not() -> None:
    asked = form(
        collections=[
            {"name": name, "chunk_size": 100, "chunk_overlap": 0, "documents": [f"{name}.txt"]} for name in "ab"
        ]
    )
    files = given(a_txt=1000, b_txt=500)
    assert most_usage(asked, files, ()).tokens == 1500
    assert most_usage(asked, files, {0}).tokens == 500


def test_a_bound_that_is_given_is_what_is_held() -> None:
    assert most_usage(form(max_tokens=70), given(a_txt=1000), ()).tokens == 70
