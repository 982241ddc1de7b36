"""Which document goes to which collection. Pure: names only.

The submit asks it, so that nobody pays for a task that cannot go well, and the planning step asks it again. Documents
bear safe names (file_names.py); the customer may say their own.
"""

from collections.abc import Sequence

from backend.errors import BadParameters, NoInputFiles
from transformers.file_names import is_meant, safe_filename
from transformers.ingestion.form import CollectionForm, IngestForm


def assign(form: IngestForm, names: Sequence[str]) -> list[list[str]]:
    """The documents of each collection, in the form's order and theirs; `names` are the files'.

    Raises:
        NoInputFiles: there is no file at all.
        BadParameters: a pattern or a name fits no file, or a file fits no collection.
    """
    if not names:
        raise NoInputFiles("There is no document to ingest.")
    chosen = [_chosen(collection, names) for collection in form.collections]
    _check_all_go_somewhere(names, chosen)
    if unknown := next((name for name in form.metadata if safe_filename(name) not in names), None):
        raise BadParameters(f"There is metadata for {unknown!r}, and no document is called so.", field="metadata")
    return chosen


def _chosen(collection: CollectionForm, names: Sequence[str]) -> list[str]:
    """Those that fit one of its patterns."""
    found: set[str] = set()
    for pattern in collection.documents:
        fitting = {name for name in names if is_meant(pattern, name)}
        if not fitting:
            raise BadParameters(
                f"The collection {collection.name!r} asks for {pattern!r}, and no document is called so.",
                field="collections", collection=collection.name, pattern=pattern,
            )  # fmt: skip
        found |= fitting
    return [name for name in names if name in found]


def _check_all_go_somewhere(names: Sequence[str], chosen: Sequence[Sequence[str]]) -> None:
    going = {name for documents in chosen for name in documents}
    if left := [name for name in names if name not in going]:
        sentence = f"{left[0]!r} goes to no collection; {len(left)} of {len(names)} documents would be left out."
        raise BadParameters(sentence, field="collections", documents=left[:20])
