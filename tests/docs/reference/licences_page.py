"""licences.md: under which licence each distribution of requirements.lock comes, by its own metadata."""

import re
from collections.abc import Mapping
from importlib.metadata import metadata
from pathlib import Path

LOCK = Path(__file__).parents[3] / "requirements.lock"
# Locked for other systems or Pythons, so not installed here; read from their projects' own files.
ELSEWHERE: Mapping[str, str] = {
    "async-timeout": "Apache-2.0",
    "colorama": "BSD-3-Clause",
    "httpx2-jsfetch": "BSD-3-Clause",
    "tzdata": "Apache-2.0",
}
# What distributions without an SPDX expression write in its place.
SPDX: Mapping[str, str] = {
    "3-Clause BSD License": "BSD-3-Clause", "Apache 2.0": "Apache-2.0", "Apache License 2.0": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0", "Apache Software License": "Apache-2.0", "BSD": "BSD-3-Clause",
    "BSD License": "BSD-3-Clause", "Dual License": "Apache-2.0 OR BSD-3-Clause", "ISC License": "ISC",
    "MIT License": "MIT", "New BSD": "BSD-3-Clause", "MIT OR Apache-2.0": "MIT OR Apache-2.0",
}  # fmt: skip
REFUSED = re.compile(r"AGPL|SSPL|BUSL|Business Source|Elastic|Commons Clause|(?<!L)GPL", re.IGNORECASE)
KNOWN = re.compile(
    r"(MIT|MIT-0|Apache-2\.0|BSD-[23]-Clause|ISC|PSF-2\.0|MPL-2\.0|LGPL-3\.0-only|Unlicense|0BSD|Zlib|CC0-1\.0"
    r"|CNRI-Python)( (AND|OR) |$)"
)
HEAD = """# Licences

What the image installs (requirements.lock), each with the licence that its own metadata names. Versions and hashes are
in the lock. `psycopg` is under the LGPL: it is used as a library, unchanged, and another build may take its place;
`certifi` (MPL) is used unchanged. There is nothing under the AGPL, the GPL, the SSPL or the BSL; a test refuses it.

| distribution | licence |
|---|---|
"""


def licences_page() -> str:
    return HEAD + "".join(f"| {name} | {licence} |\n" for name, licence in licences().items())


def licences() -> dict[str, str]:
    """By name; for each that the lock names."""
    names = re.findall(r"^([A-Za-z0-9][\w.-]*)", LOCK.read_text(encoding="utf-8"), re.MULTILINE)
    return {name: ELSEWHERE.get(name) or licence_of(name) for name in sorted(set(names))}


def licence_of(name: str) -> str:
    said = metadata(name)
    classifiers = [one.rpartition(" :: ")[2] for one in said.get_all("Classifier", []) if one.startswith("License ::")]
    first = (said.get("License") or "").strip().split("\n")[0]
    found = str(said.get("License-Expression") or first or " OR ".join(classifiers))
    return SPDX.get(found, found)
