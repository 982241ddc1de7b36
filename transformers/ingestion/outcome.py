"""What is said between the steps of an ingest, and of each collection at its end: values only."""

import uuid

from pydantic import BaseModel, ConfigDict

from backend.language_models.questions import Usage
from backend.vectors.chunks import Ingest

FAULTS_TOLD = 100  # documents of a collection that could not be read, by name; beyond it they are counted


class Value(BaseModel):
    model_config = ConfigDict(frozen=True)


class DocumentFault(Value):
    """Why a document is not in the collection."""

    document: str
    error_code: str
    message: str


class ReadDocuments(Value):
    """What read-documents says of a collection."""

    unreadable: tuple[DocumentFault, ...] = ()


class CutDocuments(Value):
    """What chunk-documents says: chunks by document, and the tokens of all of them."""

    documents: dict[str, int]
    tokens: int


class OpenedIngest(Value):
    """What open-collection says; `documents` were live then."""

    collection_id: uuid.UUID
    task_id: uuid.UUID
    dimensions: int
    documents: int

    @property
    def ingest(self) -> Ingest:
        return Ingest(self.collection_id, self.task_id, self.dimensions)


class Embedding(Value):
    """What the paid step says: what all of the collection's vectors have used, in this claim and before."""

    usage: Usage


class Ingested(Value):
    """A collection that is found from now on. `unreadable` is capped, `unreadable_documents` is not."""

    collection: str
    documents: int
    chunks: int
    vectors: int  # live in the collection, with those of earlier ingests
    tokens: int
    replaced: int  # documents that were there before
    unreadable_documents: int = 0
    unreadable: tuple[DocumentFault, ...] = ()
