"""What can be asked for: one line a tool. Nothing registers by being imported; what is named here is there.

Importing the catalogue imports no pandas, pyarrow or duckdb, so the API and the supervisors stay small.
"""

from collections.abc import Mapping
from functools import lru_cache
from pydoc import locate
from types import MappingProxyType

from backend.errors import UnknownTool
from backend.settings import get_settings
from transformers.profile_my_data_transformer import PROFILE_MY_DATA, run_profile_my_data_analysis
from transformers.routing import Run, transformer
from transformers.tool import Tool

TOOLS: tuple[Tool, ...] = (PROFILE_MY_DATA,)
RUNS: Mapping[str, Run] = MappingProxyType({PROFILE_MY_DATA.id: run_profile_my_data_analysis})


@lru_cache(maxsize=1)
def tools() -> Mapping[str, Tool]:
    """All tools by id: ours, and those of EXTRA_TOOLS, each named as `module:NAME`."""
    every = TOOLS + tuple(_extra(name) for name in get_settings().extra_tools)
    found = {tool.id: tool for tool in every}
    if len(found) != len(every):
        raise ValueError("two tools share an id")
    return MappingProxyType(found)


def _extra(name: str) -> Tool:
    tool = locate(name.replace(":", "."))
    if not isinstance(tool, Tool):
        raise TypeError(f"EXTRA_TOOLS names {name!r}, which is no Tool")
    return tool


def tool_for(tool_id: str) -> Tool:
    """The tool asked for.

    Raises:
        UnknownTool: with the ids there are in its context.
    """
    tool = tools().get(tool_id)
    if tool is None:
        raise UnknownTool(f"There is no tool called {tool_id!r}.", tools=sorted(tools()))
    return tool


def run_for(tool_id: str) -> Run:
    """The coroutine that runs a task of this tool.

    Raises:
        UnknownTool
    """
    return RUNS.get(tool_id) or transformer(tool_for(tool_id))
