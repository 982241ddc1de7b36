from collections.abc import Iterator
from pathlib import Path

import pytest
from supervising import WarmChild
from workshop import Workshop


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)


@pytest.fixture(scope="module")
def warm_child(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WarmChild]:
    child = WarmChild(tmp_path_factory.mktemp("child"))
    yield child
    child.close()
