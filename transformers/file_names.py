"""The customer's file names, as they may stand in a key and on any disk. Pure: the agents know them too."""

import re
import unicodedata
from fnmatch import fnmatchcase

LONGEST_NAME = 150  # characters; some file systems stop at 255 bytes, and one may be four of them
# Windows has devices by these names, in any case and whatever follows a dot.
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])\s*(\..*)?", re.IGNORECASE)
_UNSAFE = re.compile(r"[^\w .()+=@,-]")
_UNSAFE_IN_PATTERNS = re.compile(r"[^\w .()+=@,*?-]")


def safe_filename(name: str) -> str:
    """One path segment that is a legal file name on every system, with its extension kept."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    clean = _UNSAFE.sub("_", last).strip(" .")
    stem, dot, extension = clean.rpartition(".")
    if not dot:
        stem, extension = (clean, "") if "." not in last else ("", clean)
    room = LONGEST_NAME - len(extension) - 1
    stem = stem[: max(room, 1)].strip(" .") or "file"
    safe = f"{stem}.{extension}" if extension else stem
    if _RESERVED.fullmatch(safe):
        safe = f"_{safe}"
    return safe[:LONGEST_NAME].rstrip(" .")


def is_meant(pattern: str, filename: str) -> bool:
    """Whether a safe file name is the one that the customer named, or fits the pattern of * and ?; case counts."""
    safe = _UNSAFE_IN_PATTERNS.sub("_", unicodedata.normalize("NFC", pattern))
    return filename == safe_filename(pattern) or fnmatchcase(filename, safe)
