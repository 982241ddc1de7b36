"""How many tokens an ingest may embed: held at submit, before anything was read, and kept when it runs."""

from collections.abc import Container, Mapping

from backend.language_models.questions import Usage
from transformers.ingestion.assignment import assign
from transformers.ingestion.form import IngestForm
from transformers.tool import Given

DOCUMENTS = "documents"  # the role
# A token is at most one byte of text, and mostly four. What is packed unfolds to several times its bytes, but in PDFs
# pictures and fonts outweigh that; a table's column names come again with each row. Who has denser files, such as a
# table of single digits under long names, says `max_tokens`: the run stops with that word before it costs anything.
UNFOLDS = {"docx": 2, "xlsx": 8, "csv": 4, "tsv": 4, "jsonl": 2}


def most_usage(form: IngestForm, given: Given, done: Container[int]) -> Usage:
    """Of the collections that are not done yet. Raises what `assign` does: the submit's look at the whole plan."""
    sizes = {file.filename: file.size for file in given.get(DOCUMENTS, ())}
    chosen = assign(form, list(sizes))
    most = [
        most_tokens({name: sizes[name] for name in names}, *collection.sizes)
        for position, (collection, names) in enumerate(zip(form.collections, chosen, strict=True))
        if position not in done
    ]
    total = sum(most) if form.max_tokens is None else form.max_tokens
    return Usage(input_tokens=total if most else 0)


def most_tokens(sizes: Mapping[str, int], chunk_size: int, chunk_overlap: int) -> int:
    """Of one collection, by its files' bytes: what is shared by two chunks is embedded twice."""
    text = sum(size * UNFOLDS.get(name.rpartition(".")[2].lower(), 1) for name, size in sizes.items())
    return -(-text * chunk_size // (chunk_size - chunk_overlap))
