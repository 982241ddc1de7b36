"""batch-inference: up to ten thousand questions, shared out among the workers, answered in order (CATALOGUE §6).

The batch is split into chunks, each a child task that asks its items; then the parent collects what they answered.
"""

from collections.abc import Container, Iterator
from datetime import timedelta
from typing import Any

from backend.language_models.questions import Usage
from transformers.agents import collect_answers, generate_items, split_items
from transformers.inference.asked import messages_of
from transformers.inference.bounds import most_usage, with_repairs
from transformers.inference.items import FORMATS, read_items
from transformers.routing import transformer
from transformers.tool import MEBIBYTE, Forms, Given, InputRole, Step, Tariff, Tool


def _most(form: Any, given: Given, done: Container[int]) -> Usage:
    """The upper bound of the items that are still to be asked.

    Raises:
        UnreadableFile, UnsupportedFormat: the sentence names the item.
    """
    assert isinstance(form, generate_items.GenerateItemsParameters)
    (file,) = given[split_items.ITEMS]
    items = read_items(file.filename, file.read())
    each = (
        most_usage(messages_of(item, form.system), item.max_tokens or form.max_tokens, {**form.extra, **item.extra})
        for position, item in enumerate(items)
        if position not in done
    )
    return with_repairs(sum(each, Usage()), form.output_schema)


def _models(forms: Forms) -> Iterator[str]:
    form = forms[generate_items.AGENT_ID]
    assert isinstance(form, generate_items.GenerateItemsParameters)
    yield from (form.model, *form.fallback_models)


BATCH_INFERENCE = Tool(
    id="batch-inference",
    name="Batch inference",
    description="Ask a language model many questions at once; each is answered or says why it is not, in your order.",
    roles=(InputRole(split_items.ITEMS, FORMATS, max_bytes=20 * MEBIBYTE, required=True, is_table=False),),
    steps=(
        Step(split_items.AGENT, fans_out=True),
        Step(generate_items.AGENT, tariff=Tariff(per_thousand_tokens=1), bound=_most, in_children=True),
        Step(collect_answers.AGENT, after=(split_items.AGENT_ID,)),
    ),
    models=_models,
    # Of each chunk: a thousand answers of a slow model, a few at a time.
    time_limit=timedelta(hours=2),
)

run_batch_inference_analysis = transformer(BATCH_INFERENCE)
