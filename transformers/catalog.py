"""What can be asked for: one line a tool. Nothing registers by being imported; what is named here is there.

Importing the catalogue imports no pandas, pyarrow or duckdb, so the API and the supervisors stay small.
"""

from collections.abc import Mapping
from functools import lru_cache
from pydoc import locate
from types import MappingProxyType

from backend.errors import UnknownTool
from backend.settings import get_settings
from transformers.batch_inference_transformer import run_batch_inference_analysis
from transformers.clean_my_data_transformer import run_clean_my_data_analysis
from transformers.generate_text_transformer import run_generate_text_analysis
from transformers.ingest_documents_transformer import run_ingest_documents_analysis
from transformers.master_my_data_transformer import run_master_my_data_analysis
from transformers.model_pipeline_transformer import run_model_pipeline_analysis
from transformers.profile_my_data_transformer import run_profile_my_data_analysis
from transformers.routing import Transformer, transformer
from transformers.tool import Tool

TRANSFORMERS: tuple[Transformer, ...] = (
    run_profile_my_data_analysis,
    run_clean_my_data_analysis,
    run_master_my_data_analysis,
    run_generate_text_analysis,
    run_batch_inference_analysis,
    run_ingest_documents_analysis,
    run_model_pipeline_analysis,
)


@lru_cache(maxsize=1)
def transformers() -> Mapping[str, Transformer]:
    """All transformers by tool id: ours, and one for each tool of EXTRA_TOOLS, named there as `module:NAME`."""
    every = TRANSFORMERS + tuple(transformer(_extra(name)) for name in get_settings().extra_tools)
    found = {one.tool.id: one for one in every}
    if len(found) != len(every):
        raise ValueError("two tools share an id")
    return MappingProxyType(found)


def _extra(name: str) -> Tool:
    tool = locate(name.replace(":", "."))
    if not isinstance(tool, Tool):
        raise TypeError(f"EXTRA_TOOLS names {name!r}, which is no Tool")
    return tool


def tools() -> Mapping[str, Tool]:
    """All tools by id."""
    return {tool_id: one.tool for tool_id, one in transformers().items()}


def tool_for(tool_id: str) -> Tool:
    """The tool asked for. Raises UnknownTool, with the ids there are in its context."""
    return run_for(tool_id).tool


def run_for(tool_id: str) -> Transformer:
    """The coroutine that runs a task of this tool. Raises UnknownTool."""
    found = transformers().get(tool_id)
    if found is None:
        raise UnknownTool(f"There is no tool called {tool_id!r}.", tools=sorted(transformers()))
    return found
