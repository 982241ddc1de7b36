"""Loaded by Python itself where this folder is on PYTHONPATH: the wall clock is off by what a file says, in seconds.

AGENSIUM_CLOCK_SHIFT names the file; it may change at any time. Durations (time.monotonic) stay right, as they do when
an operator or NTP sets a machine's clock.
"""

import datetime as dt
import os
import time
from typing import Any

_FILE = os.environ.get("AGENSIUM_CLOCK_SHIFT", "")
_LOOK_SECONDS = 0.1
_time, _time_ns, _monotonic = time.time, time.time_ns, time.monotonic
_Datetime: Any = dt.datetime
_shift, _looked_at = 0, 0.0


def _shifted() -> int:
    global _shift, _looked_at  # noqa: PLW0603 (one clock a process)
    if _monotonic() - _looked_at > _LOOK_SECONDS:
        _looked_at = _monotonic()
        try:
            with open(_FILE) as file:  # noqa: PTH123 (pathlib is not to be loaded this early)
                _shift = int(file.read() or 0)
        except (OSError, ValueError):
            _shift = 0
    return _shift


class _Meta(type):
    """A value made by C code is still a datetime."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, _Datetime)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, _Datetime)


class datetime(_Datetime, metaclass=_Meta):  # type: ignore[misc]  # noqa: N801 (it stands for the other)
    """datetime.datetime with a wrong idea of now."""

    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> Any:
        return _Datetime.fromtimestamp(time.time(), tz)

    @classmethod
    def utcnow(cls) -> Any:
        return _Datetime.fromtimestamp(time.time(), dt.UTC).replace(tzinfo=None)

    @classmethod
    def today(cls) -> Any:
        return cls.now()


def _install() -> None:
    time.time = lambda: _time() + _shifted()
    time.time_ns = lambda: _time_ns() + _shifted() * 10**9
    dt.datetime = datetime  # type: ignore[misc]


if _FILE:
    _install()
