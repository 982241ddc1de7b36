"""What a reader must know of the machine to judge a figure. Nothing that names it."""

import os
import platform
from contextlib import suppress
from pathlib import Path

import psutil


def described() -> str:
    """Its processor, memory and system, in one line."""
    gibibytes = psutil.virtual_memory().total / 2**30
    return (
        f"{os.cpu_count()} cores ({_processor()}), {gibibytes:.0f} GiB, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}"
    )


def _processor() -> str:
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
    return platform.processor() or "unknown"
