"""All checks side by side, none waited for longer than the longest may take: what is down hides nothing else."""

import queue
import threading
from collections.abc import Collection, Sequence

from backend.clock import monotonic
from backend.doctor.checks import CHECKS
from backend.doctor.finding import Area, Check, Finding, Severity
from backend.settings import Settings

_Answer = tuple[int, Sequence[Finding] | None]  # the check's place, and None where it broke


def examine(settings: Settings, only: Collection[Area] = (), checks: Sequence[Check] = CHECKS) -> Sequence[Finding]:
    """What all checks of these areas found, in the order of the checks; without `only`, of every area."""
    wanted = [check for check in checks if not only or check.area in only]
    answers = queue.SimpleQueue[_Answer]()
    began = monotonic()
    for place, check in enumerate(wanted):
        # a daemon, for nobody can end a call that a frozen server keeps waiting
        threading.Thread(
            target=_look, args=(place, check, settings, answers), name=f"doctor-{check.area}", daemon=True
        ).start()
    found = _gathered(wanted, answers, began)
    return [finding for place, check in enumerate(wanted) for finding in found.get(place, [_silent(check)])]


def _look(place: int, check: Check, settings: Settings, answers: "queue.SimpleQueue[_Answer]") -> None:
    """A check that breaks is a fault of ours: the thread tells where, and the others go on."""
    found: Sequence[Finding] | None = None
    try:
        found = list(check.look(settings))
    finally:
        answers.put((place, found))


def _gathered(
    wanted: Sequence[Check], answers: "queue.SimpleQueue[_Answer]", began: float
) -> dict[int, Sequence[Finding]]:
    found: dict[int, Sequence[Finding]] = {}
    while waiting := [check for place, check in enumerate(wanted) if place not in found]:
        left = began + max(check.seconds for check in waiting) - monotonic()
        try:
            place, findings = answers.get(timeout=max(0.0, left))
        except queue.Empty:
            break
        found[place] = [_broken(wanted[place])] if findings is None else findings
    return found


def _broken(check: Check) -> Finding:
    seen = f"The examination of the {check.area} broke; what stands above says where."
    return Finding(check.area, Severity.UNKNOWN, seen, "Tell Agensium's makers.")


def _silent(check: Check) -> Finding:
    seen = f"The examination of the {check.area} did not end within {check.seconds:.0f} s."
    change = "Something there takes connections and does not answer. Look at it, then ask again."
    return Finding(check.area, Severity.UNKNOWN, seen, change)
