"""read-documents: the text of one collection's documents, cleaned. Computes in the child: the files are a stranger's.

A document that cannot be read is told, and the others go on; where none is left, the collection fails with the reason.
"""

from backend.errors import CustomerError
from transformers.documents.reading import read_document
from transformers.findings import AgentResult
from transformers.ingestion.collection_plan import given
from transformers.ingestion.outcome import DocumentFault, ReadDocuments
from transformers.ingestion.passage_shelf import ShelfWriter
from transformers.ingestion.sign_of_life import SignOfLife
from transformers.ingestion.work_files import PASSAGES, between_steps
from transformers.tool import Agent, AgentContext, AgentParameters, Delivery

AGENT_ID = "read-documents"


class ReadDocumentsParameters(AgentParameters):
    """Everything is said in the plan of the collection."""


def run(context: AgentContext) -> Delivery:
    plan, paths = given(context.files)
    shelf, faults, characters = context.scratch / "passages.jsonl", [], 0
    with shelf.open("w", encoding="utf-8", newline="\n") as stream:
        writer, alive = ShelfWriter(stream), SignOfLife(context.report_progress)
        for number, name in enumerate(plan.documents):
            alive.share = number / len(plan.documents)
            try:
                characters += writer.add(name, read_document(paths[name], name, context.scratch, alive))
            except CustomerError as error:
                faults.append(DocumentFault(document=name, error_code=error.error_code, message=error.verdict.message))
    return Delivery(result=_result(len(plan.documents), characters, faults), files=(between_steps(shelf, PASSAGES),))


def _result(documents: int, characters: int, faults: list[DocumentFault]) -> AgentResult:
    return AgentResult(
        agent_id=AGENT_ID,
        agent_name=AGENT.name,
        summary_metrics={"documents": documents - len(faults), "unreadable": len(faults), "characters": characters},
        data=ReadDocuments(unreadable=tuple(faults)).model_dump(mode="json"),
    )


AGENT = Agent(
    id=AGENT_ID,
    name="Read documents",
    description="The clean text of each document, by page, section or row.",
    parameters=ReadDocumentsParameters,
    run=run,
    roles=(),
)
