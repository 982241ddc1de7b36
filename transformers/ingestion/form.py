"""What is asked of an ingest: which files go to which collection, cut how, described by what, embedded by which model.

What one form can know is checked here; what needs the files' names, in assignment.py.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from transformers.chunking.chunker import LARGEST_SIZE, SMALLEST_SIZE, ChunkerForm
from transformers.tool import AgentParameters

ALL = ("*",)
MOST_COLLECTIONS = 100
MOST_KEYS = 32  # of metadata: they are stored with every chunk

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
Pattern = Annotated[str, StringConstraints(min_length=1, max_length=255)]
Key = Annotated[
    str, StringConstraints(pattern=r"^[^$\x00-\x1f\x7f][^\x00-\x1f\x7f]{0,99}$")
]  # with $ begin filters' own
Value = Annotated[str, StringConstraints(max_length=1000)] | bool | int | float
Metadata = Annotated[dict[Key, Value], Field(max_length=MOST_KEYS)]


class Sizes(NamedTuple):
    """In tokens."""

    chunk: int
    overlap: int


USUAL = Sizes(512, 50)
PRESETS: Mapping[str, Sizes] = MappingProxyType(  # by the collection's name (CATALOGUE §6)
    {"works": Sizes(1024, 128), "quotes": Sizes(512, 64), "profile": Sizes(2048, 256)}
)


class CollectionForm(BaseModel):
    """One collection. Without sizes it is cut as its preset says, or 512/50."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Slug = Field(description="Lower-case letters, digits, - and _; what you search in.")
    documents: tuple[Pattern, ...] = Field(
        default=ALL, min_length=1, max_length=1000, description="File names, or patterns with * and ?. Default: all."
    )
    chunker: ChunkerForm = Field(default=ChunkerForm.RECURSIVE, description="How text is cut into chunks.")
    chunk_size: int | None = Field(
        default=None,
        ge=SMALLEST_SIZE,
        le=LARGEST_SIZE,
        description="Tokens a chunk. Default: 512, or the preset of this name.",
    )
    chunk_overlap: int | None = Field(
        default=None,
        ge=0,
        le=LARGEST_SIZE // 2,
        description="Tokens that a chunk shares with the one before. Default: 50.",
    )
    metadata: Metadata = Field(default={}, description="Stored with every chunk of this collection; filters searches.")
    gates: bool = Field(default=False, description="The first collection only: the others begin when it is done.")

    @property
    def sizes(self) -> Sizes:
        """What is not said follows the preset; a small chunk overlaps by no more than an eighth."""
        usual = PRESETS.get(self.name, USUAL)
        size = usual.chunk if self.chunk_size is None else self.chunk_size
        overlap = min(usual.overlap, size // 8) if self.chunk_overlap is None else self.chunk_overlap
        return Sizes(size, overlap)

    @model_validator(mode="after")
    def _overlap_leaves_something_new(self) -> "CollectionForm":
        if self.sizes.overlap > self.sizes.chunk // 2:
            raise ValueError("chunk_overlap is at most half of chunk_size")
        return self


class IngestForm(AgentParameters):
    collections: tuple[CollectionForm, ...] = Field(
        default=(CollectionForm(name="documents"),),
        min_length=1,
        max_length=MOST_COLLECTIONS,
        description="What is to be searched in. Default: one collection, `documents`, of all files.",
    )
    embedding_model: str = Field(
        default="", max_length=200, description="provider:model of the vectors. Default: the one that is set up here."
    )
    max_tokens: int | None = Field(
        default=None,
        ge=1,
        le=10**10,
        description="The most tokens to embed, over all collections. Default: what files of these sizes may hold.",
    )
    metadata: dict[str, Metadata] = Field(
        default={},
        max_length=10_000,
        description="By file name: stored with each chunk of that file; filters searches.",
    )

    @model_validator(mode="after")
    def _collections_are_told_apart(self) -> "IngestForm":
        names = [collection.name for collection in self.collections]
        if doubled := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"two collections are called {doubled!r}")
        if any(collection.gates for collection in self.collections[1:]):
            raise ValueError("only the first collection can gate the others")
        return self
