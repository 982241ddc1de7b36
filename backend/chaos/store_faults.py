"""The file store: it refuses, errs, hangs, dawdles, cuts downloads short, resets uploads."""

import threading
from collections.abc import Callable

import psutil

from backend.chaos.deployment import until
from backend.chaos.fault import Fault
from backend.chaos.faulty_store import Mood
from backend.chaos.stage import Stage
from backend.clock import monotonic


def _in_mood(mood: Mood) -> Callable[[Stage], str]:
    def inject(stage: Stage) -> str:
        """An agent dies as well, so that a resumed task reads its checkpoints from the faulty store."""
        seconds = stage.form.store_hang if mood is Mood.HANGING else stage.form.store_fault
        before, began = stage.store.hit[mood], monotonic()
        with stage.ordering(2), stage.store.misbehaving(mood):  # a submit looks at its file, and waits as well
            for victim in stage.at_work()[:1]:
                _kill(victim.agent)
            threading.Event().wait(seconds)
            until(lambda: stage.store.hit[mood] > before, "the store hit a request")
        return f"{stage.store.hit[mood] - before} requests were hit in {monotonic() - began:.0f} s"

    return inject


def _kill(process: psutil.Process) -> None:
    try:
        process.kill()
    except psutil.NoSuchProcess:
        return


STORE_FAULTS = (
    Fault("S3 503", "every request is answered 503 Slow Down", _in_mood(Mood.UNAVAILABLE)),
    Fault("S3 500", "every request is answered 500 Internal Error", _in_mood(Mood.ERROR)),
    Fault("S3 hangs", "requests are taken and never answered", _in_mood(Mood.HANGING)),
    Fault("S3 slow", "bodies come in small pieces", _in_mood(Mood.SLOW)),
    Fault("S3 downloads truncated", "every download ends half way", _in_mood(Mood.CUTTING_DOWNLOADS)),
    Fault(
        "S3 uploads reset", "the connection is reset in the middle of every upload", _in_mood(Mood.RESETTING_UPLOADS)
    ),
)
