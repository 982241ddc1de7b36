import pytest

from tests.docs.reference.licences_page import ELSEWHERE, KNOWN, LOCK, REFUSED, licences


def test_everything_that_is_installed_is_under_a_licence_that_we_know() -> None:
    unknown = {name: licence for name, licence in licences().items() if KNOWN.sub("", licence)}
    assert unknown == {}


def test_nothing_is_under_a_licence_that_would_bind_us() -> None:
    assert {name: licence for name, licence in licences().items() if REFUSED.search(licence)} == {}


@pytest.mark.parametrize("licence", ["AGPL-3.0-only", "GPL-2.0-or-later", "SSPL-1.0", "BUSL-1.1"])
def test_such_a_licence_would_be_seen(licence: str) -> None:
    assert REFUSED.search(licence)


def test_what_is_said_of_other_systems_is_locked_for_them() -> None:
    assert set(ELSEWHERE) <= licences().keys()
    assert "--hash=sha256:" in LOCK.read_text(encoding="utf-8")
