"""chunk-documents: the text of one collection cut into chunks, as its plan says (transformers/chunking)."""

from transformers.chunking.chunk_file import write_chunks
from transformers.chunking.chunker import Chunker
from transformers.findings import AgentResult
from transformers.ingestion.collection_plan import given
from transformers.ingestion.outcome import CutDocuments
from transformers.ingestion.passage_shelf import shelved
from transformers.ingestion.sign_of_life import SignOfLife
from transformers.ingestion.work_files import CHUNKS, PASSAGES, between_steps, left_before
from transformers.tool import Agent, AgentContext, AgentParameters, Delivery

AGENT_ID = "chunk-documents"


class ChunkDocumentsParameters(AgentParameters):
    """Everything is said in the plan of the collection."""


def run(context: AgentContext) -> Delivery:
    plan, _ = given(context.files)
    chunker = Chunker(plan.chunker, plan.chunk_size, plan.chunk_overlap)
    path, documents, tokens = context.scratch / "chunks.jsonl", {}, 0
    path.touch()
    alive = SignOfLife(context.report_progress)
    for document, passages in shelved(left_before(context.earlier, PASSAGES)):
        written = write_chunks(alive.over(chunker.chunks(document, passages)), path)
        documents[document], tokens = written.chunks, tokens + written.tokens
        alive.share = len(documents) / len(plan.documents)
    cut = CutDocuments(documents=documents, tokens=tokens)
    return Delivery(result=_result(cut), files=(between_steps(path, CHUNKS),))


def _result(cut: CutDocuments) -> AgentResult:
    chunks = sum(cut.documents.values())
    return AgentResult(
        agent_id=AGENT_ID,
        agent_name=AGENT.name,
        summary_metrics={"documents": len(cut.documents), "chunks": chunks, "tokens": cut.tokens},
        data=cut.model_dump(mode="json"),
    )


AGENT = Agent(
    id=AGENT_ID,
    name="Chunk documents",
    description="Each document's text, cut into chunks of so many tokens.",
    parameters=ChunkDocumentsParameters,
    run=run,
    roles=(),
)
