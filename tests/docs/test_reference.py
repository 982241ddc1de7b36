"""The reference is what the code says today, and every error of it says something."""

import pytest

from backend.errors import AgensiumError, ErrorClass
from tests.docs.reference.errors_page import told
from tests.docs.reference.pages_made import FOLDER, PAGES, made


@pytest.fixture(scope="module")
def today() -> dict[str, str]:
    return made()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_the_reference_is_what_the_code_says(name: str, today: dict[str, str]) -> None:
    written = (FOLDER / name).read_text(encoding="utf-8") if (FOLDER / name).exists() else ""
    assert written == today[name], "run: make reference"


@pytest.mark.parametrize("kind", told(), ids=lambda kind: kind.error_code)
def test_every_error_says_its_own_sentence_and_what_to_do(kind: type[AgensiumError]) -> None:
    assert kind.message.endswith((".", "?"))
    assert kind.next_action.endswith(".")
    if kind.error_class is not ErrorClass.INTERNAL:
        assert kind.message != AgensiumError.message
        assert kind.next_action != AgensiumError.next_action
