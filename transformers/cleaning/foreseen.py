"""What a preview has searched out at length, left for the agent that asks the same of the same rows.

An answer is found again by a name that says all that decides it: which search, what it was told, and the table's
columns and bytes. If anything has come between, the name is another one, and the agent searches itself.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from transformers.tables import Table
from transformers.tool import AgentFile, Delivery

FORESEEN = "foreseen"  # the kind of the file
PARQUET = "application/vnd.apache.parquet"


@dataclass(frozen=True)
class Foreseen:
    """`answers` are Parquet files by name. Only a preview has a folder that it `leaves` its own in."""

    answers: Mapping[str, Path] = field(default_factory=dict)
    leaves: Path | None = None

    @classmethod
    def by(cls, earlier: Iterable[Delivery]) -> "Foreseen":
        files = (file for delivery in earlier for file in delivery.files if file.kind == FORESEEN)
        return cls({file.name: file.path for file in files})

    def name_of(self, search: str, table: Table, told: object = None) -> str:
        """A table's bytes are the same where the same stages with the same forms wrote it; `told` by its repr.

        Empty where there is nothing to find and nobody to leave it for: no large table is read in vain.
        """
        if not self.answers and self.leaves is None:
            return ""
        with table.path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256")
        digest.update(repr((table.columns, table.format, told)).encode())
        return f"{search}-{digest.hexdigest()[:32]}.parquet"  # Windows takes no path of 260 characters

    def answer(self, name: str) -> Path | None:
        return self.answers.get(name)

    def place(self, name: str) -> Path | None:
        """Where an answer is to be written for those who come after; None: nobody will ask."""
        return None if self.leaves is None else self.leaves / name


def files_in(folder: Path) -> tuple[AgentFile, ...]:
    return tuple(
        AgentFile(name=path.name, path=path, content_type=PARQUET, kind=FORESEEN, is_output=False)
        for path in sorted(folder.iterdir())
    )
