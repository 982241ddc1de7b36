"""All that a child has to know of its collection, as a file that the planning step leaves among its documents."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from transformers.chunking.chunker import ChunkerForm
from transformers.file_names import safe_filename
from transformers.ingestion.bounds import DOCUMENTS
from transformers.ingestion.form import CollectionForm, IngestForm, Metadata
from transformers.tool import AgentFile, LocalFile

SUFFIX = ".plan.json"  # no document's: the role takes no JSON


class CollectionPlan(BaseModel):
    """`documents` are file names in the order they came, each with the collection's metadata under its own.

    `max_tokens` is what all the task's collections may embed together; None: what this one's files may hold.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    documents: dict[str, Metadata]
    chunker: ChunkerForm
    chunk_size: int
    chunk_overlap: int
    embedding_model: str
    max_tokens: int | None

    @classmethod
    def of(
        cls, form: IngestForm, collection: CollectionForm, names: Sequence[str], embedding_model: str
    ) -> "CollectionPlan":
        own = {safe_filename(name): said for name, said in form.metadata.items()}
        return cls(
            name=collection.name,
            documents={name: collection.metadata | own.get(name, {}) for name in names},
            chunker=collection.chunker,
            chunk_size=collection.sizes.chunk,
            chunk_overlap=collection.sizes.overlap,
            embedding_model=embedding_model,
            max_tokens=form.max_tokens,
        )

    @property
    def settings(self) -> dict[str, str | int]:
        """What the collection's record shows of how it was made."""
        return {"chunker": self.chunker, "chunk_size": self.chunk_size, "chunk_overlap": self.chunk_overlap}

    def write(self, folder: Path) -> AgentFile:
        path = folder / f"{self.name}{SUFFIX}"
        path.write_text(self.model_dump_json(), encoding="utf-8")
        return AgentFile(name=path.name, path=path, content_type="application/json", kind="plan", is_output=False)


def given(files: Mapping[str, Sequence[LocalFile]]) -> tuple[CollectionPlan, dict[str, Path]]:
    """The plan that a child was given, and where its documents are, by name."""
    plans = [file for file in files[DOCUMENTS] if file.name.endswith(SUFFIX)]
    (plan,) = (CollectionPlan.model_validate_json(file.path.read_bytes()) for file in plans)
    return plan, {file.name: file.path for file in files[DOCUMENTS] if file not in plans}
