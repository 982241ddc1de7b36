"""`agensium doctor`: what is wrong with a deployment, and what to change."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from backend.doctor.finding import Area, Check, Finding, Ward, exit_code

if TYPE_CHECKING:
    from pydantic import ValidationError

    from backend.settings import Settings


def doctor(
    *,
    only: Annotated[list[Area] | None, typer.Option(help="Only this area; repeatable.")] = None,
    json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    ask_models: Annotated[
        bool, typer.Option("--ask-models", help="Ask each model for a word, too; costs some tokens.")
    ] = False,
) -> None:
    """Check this deployment and say what to change; exit 1 where something is wrong, 2 where not all could be seen."""
    from pydantic import ValidationError

    from backend.doctor import telling
    from backend.settings import get_settings

    settings: Settings | None = None
    try:
        settings = get_settings()
    except ValidationError as error:
        findings = _refused(error)
    else:
        findings = _examined(settings, only or (), ask_models=ask_models)
    if json:
        print(telling.as_json(findings, settings))
    else:
        telling.tell(findings, settings)
    sys.exit(exit_code(findings))


def _examined(settings: "Settings", only: Sequence[Area], *, ask_models: bool) -> Sequence[Finding]:
    from backend.doctor.checks import ASK_MODELS, CHECKS
    from backend.doctor.examination import examine

    checks: tuple[Check, ...] = (*CHECKS, ASK_MODELS) if ask_models else CHECKS
    return examine(settings, only, checks)


def _refused(error: "ValidationError") -> Sequence[Finding]:
    """Settings with which no process starts, and so nothing else can be looked at."""
    ward = Ward(Area.SETTINGS)
    told = [f"{'.'.join(map(str, one['loc'])).upper()} {one['msg']}".strip() for one in error.errors()]
    return [ward.wrong(f"No process starts with these settings: {sentence}.", "Change it.") for sentence in told]
