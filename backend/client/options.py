"""What may be said to the model tools besides the question itself; what is left out is the server's default."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict

from backend.client.flows import Source

PRIMARY = "primary"
File = Path | str | Source


class ModelOptions(TypedDict, total=False):
    """`model` and `fallback_models` are provider:model; `timeout_seconds` is of one call to the model."""

    model: str
    system: str
    temperature: float
    max_tokens: int
    fallback_models: Sequence[str]
    output_schema: Mapping[str, Any]
    extra: Mapping[str, Any]
    timeout_seconds: float


class GenerateOptions(ModelOptions, total=False):
    """`history` is what was said before, each {role, content}."""

    history: Sequence[Mapping[str, str]]
    cache_seconds: float


class IngestOptions(TypedDict, total=False):
    """`chunker` is recursive, sentence or fixed; sizes are in tokens. `document_metadata` is by file name."""

    chunker: str
    chunk_size: int
    chunk_overlap: int
    embedding_model: str
    max_tokens: int
    document_metadata: Mapping[str, Mapping[str, Any]]


def given_sources(
    file: File | None, files: Mapping[str, File | Sequence[File]]
) -> dict[str, Source | Sequence[Source]]:
    """By role; `file` is the primary one."""
    primary = {} if file is None else {PRIMARY: file}
    return {role: given_source(given) for role, given in {**primary, **files}.items()}


def given_source(given: File | Sequence[File]) -> Source | Sequence[Source]:
    """A list stays a list: it is for a role that takes several."""
    return Source.of(given) if isinstance(given, str | Path | Source) else [Source.of(file) for file in given]


def sources_of(path: File | Sequence[File]) -> Sequence[Source]:
    found = given_source(path)
    return [found] if isinstance(found, Source) else found


def collection_of(name: str, metadata: Mapping[str, Any] | None, options: IngestOptions) -> dict[str, Any]:
    cut = {option: options.get(option) for option in ("chunker", "chunk_size", "chunk_overlap")}
    return {"name": name, "metadata": metadata, **cut}


def form_of(options: IngestOptions) -> dict[str, Any]:
    """What is said of the ingest as a whole."""
    return {
        "embedding_model": options.get("embedding_model"),
        "max_tokens": options.get("max_tokens"),
        "metadata": options.get("document_metadata"),
    }
