"""ingest-documents: files become collections that can be searched: read, cut, embedded, stored (CATALOGUE §6).

Each collection is a child with its own progress. The documents are read by the children alone.
"""

from collections.abc import Iterable
from datetime import timedelta

from backend.errors import BadParameters
from backend.language_models.names import EMBEDDERS, Provider
from backend.settings import get_settings
from transformers.agents import (
    chunk_documents,
    collect_collections,
    ingest_chunks,
    open_collection,
    plan_collections,
    read_documents,
    store_collection,
)
from transformers.ingestion.bounds import DOCUMENTS, most_usage
from transformers.ingestion.form import IngestForm
from transformers.routing import transformer
from transformers.tool import MEBIBYTE, Forms, InputRole, Step, Tariff, Tool

FORMATS = ("txt", "md", "markdown", "pdf", "docx", "html", "htm", "csv", "tsv", "xlsx", "jsonl")


def models(forms: Forms) -> Iterable[str]:
    """The embedding model that is asked for, or the one that is set up. Raises BadParameters: it makes no vectors."""
    form = forms[ingest_chunks.AGENT_ID]
    assert isinstance(form, IngestForm)
    provider = form.embedding_model.partition(":")[0]
    if provider in set(Provider) - EMBEDDERS:
        known = ", ".join(sorted(EMBEDDERS))
        sentence = f"{form.embedding_model!r} makes no vectors here; models of these providers do: {known}."
        raise BadParameters(sentence, agent=ingest_chunks.AGENT_ID, field="embedding_model")
    return (form.embedding_model or get_settings().embedding_model,)


INGEST_DOCUMENTS = Tool(
    id="ingest-documents",
    name="Ingest documents",
    description="Make documents searchable: text, web pages, PDF, Word, tables; by meaning, filtered by metadata.",
    roles=(
        InputRole(
            DOCUMENTS, FORMATS, max_bytes=50 * MEBIBYTE, required=True, is_table=False, many=True, for_children=True
        ),
    ),
    steps=(
        Step(plan_collections.AGENT, fans_out=True),
        Step(open_collection.AGENT, in_children=True),
        Step(read_documents.AGENT, in_children=True),
        Step(chunk_documents.AGENT, in_children=True),
        Step(ingest_chunks.AGENT, tariff=Tariff(per_thousand_tokens=1), bound=most_usage, in_children=True),
        Step(store_collection.AGENT, in_children=True),
        Step(collect_collections.AGENT),
    ),
    chained=True,  # each step goes on with the files of the one before
    models=models,
    time_limit=timedelta(hours=2),
    no_progress_after=timedelta(minutes=10),
)

run_ingest_documents_analysis = transformer(INGEST_DOCUMENTS)
