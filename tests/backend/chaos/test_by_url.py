import pytest

from backend.chaos.by_url import Elsewhere, refuse_elsewhere


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000", "http://localhost", "http://[::1]:8000", "http://127.9.9.9"])
def test_this_machine_may_be_disturbed(url: str) -> None:
    refuse_elsewhere(url)


@pytest.mark.parametrize(
    "url", ["https://api.example.com", "http://10.0.0.7:8000", "http://127.0.0.1.example.com", "http://0.0.0.0", "api"]
)
def test_another_machine_may_not_and_the_sentence_says_how_it_could_be_reached(url: str) -> None:
    with pytest.raises(Elsewhere, match="kubectl port-forward"):
        refuse_elsewhere(url)
