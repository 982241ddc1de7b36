"""Which release of Agensium this is."""

from functools import cache
from importlib.metadata import PackageNotFoundError, version


@cache
def release() -> str:
    """Such as 0.1.0: of the installed package."""
    try:
        return version("agensium")
    except PackageNotFoundError:  # run from a tree that was never installed
        return "unknown"
