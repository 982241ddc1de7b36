"""What `agensium orphans` prints: each finding, at most a hundred of a kind, and a table of all."""

from collections import Counter

from rich.console import Console
from rich.table import Table

from backend.doors import get_doors
from backend.errors import Conflict, DatabaseUnavailable, StorageUnavailable
from backend.orphans import Comparison, Finding, Survey, Why
from backend.storage.faults import StorageError
from db.database import DATABASE_ERRORS

SHOWN = 100  # of each kind
CANNOT_BE_MENDED = frozenset({Why.MISSING})


def tell(*, mend: bool, yes_remove: int | None = None) -> int:
    """Print the comparison; how many findings are left as they were. To mend, a first look only counts.

    Raises:
        Conflict: too many of the objects' tasks are unknown to this database, and `yes_remove` is not the number of
            objects that would be lost by it.
        StorageUnavailable, DatabaseUnavailable
    """
    try:
        comparison = Comparison(get_doors().storage, mend=mend)
        if mend:
            _check(comparison.survey(), yes_remove)
        return _tell(comparison, mend=mend)
    except StorageError as error:
        raise StorageUnavailable(detail=str(error)) from error
    except DATABASE_ERRORS as error:
        raise DatabaseUnavailable(detail=str(error)) from error


def _check(survey: Survey, yes_remove: int | None) -> None:
    for why, number in survey.numbers.items():
        _say(f"first look: {number:,} objects ({survey.bytes[why]:,} bytes) to be removed: {why.value}")
    if survey.is_doubtful and yes_remove != survey.strangers:
        raise Conflict(
            f"Of the {survey.known + survey.unknown:,} tasks with files, this database does not know"
            f" {survey.unknown:,}. Is DATABASE_URL the right one? If so, --yes-remove {survey.strangers} removes their"
            " objects. Nothing was removed."
        )


def _tell(comparison: Comparison, *, mend: bool) -> int:
    count: Counter[Why] = Counter()
    size: Counter[Why] = Counter()
    for finding in comparison.findings():
        count[finding.why] += 1
        size[finding.why] += finding.size
        if count[finding.why] <= SHOWN:
            _say(_line(finding, mend=mend))
    if count:
        Console(width=110).print(_table(count, size, mend=mend))
    left = sum(number for why, number in count.items() if not _is_mended(why, mend=mend))
    _say(f"orphans: {count.total()} found, {count.total() - left} removed, {left} left")
    return left


def _say(line: str) -> None:
    Console(soft_wrap=True, markup=False, highlight=False).print(line)


def _line(finding: Finding, *, mend: bool) -> str:
    removed = "removed " if _is_mended(finding.why, mend=mend) else ""
    return f"{removed}{finding.key} ({finding.size:,} bytes): {finding.why.value}"


def _is_mended(why: Why, *, mend: bool) -> bool:
    return mend and why not in CANNOT_BE_MENDED


def _table(count: Counter[Why], size: Counter[Why], *, mend: bool) -> Table:
    table = Table("what", "how many", "bytes", "and now")
    for why in count:
        if why in CANNOT_BE_MENDED:
            now = "cannot be mended: the object is lost"
        else:
            now = "removed" if mend else "--mend removes them"
        table.add_row(why.value, f"{count[why]:,}", f"{size[why]:,}", now)
    return table
