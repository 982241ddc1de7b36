"""The pages of the reference, each by its name. What is declared once in the code is said here and nowhere else."""

from collections.abc import Callable, Mapping
from pathlib import Path

from tests.docs.reference.commands_page import commands_page
from tests.docs.reference.decisions_page import decisions_page
from tests.docs.reference.errors_page import errors_page
from tests.docs.reference.http_page import http_page
from tests.docs.reference.licences_page import licences_page
from tests.docs.reference.metrics_page import metrics_page
from tests.docs.reference.parameters_page import parameters_page
from tests.docs.reference.settings_page import settings_page
from tests.docs.reference.tools_page import tools_page

FOLDER = Path(__file__).parents[3] / "docs" / "reference"
NOTE = "<!-- made from the code by `make reference`; a test holds it to it -->\n\n"
PAGES: Mapping[str, Callable[[], str]] = {
    "settings.md": settings_page,
    "errors.md": errors_page,
    "tools.md": tools_page,
    "parameters.md": parameters_page,
    "cli.md": commands_page,
    "http.md": http_page,
    "../decisions/README.md": decisions_page,
    "metrics.md": metrics_page,
    "licences.md": licences_page,
}


def made() -> dict[str, str]:
    """What each page has to be."""
    return {name: NOTE + page() for name, page in PAGES.items()}
