"""What a question's `extra` may hold: any field of the provider's request but those that others decide."""

from collections.abc import Mapping
from typing import Any

# Said by the question itself; or it would change who answers, how many answers are paid, or how they come;
SAID_ELSEWHERE = frozenset(
    {"model", "messages", "stream", "stream_options", "n", "best_of", "temperature"}
    | {"max_tokens", "max_completion_tokens"}
)
# or the provider would charge the operator for more than tokens at their usual price, reach out, or keep what was said.
DEARER = frozenset(
    {"service_tier", "speed", "web_search_options", "mcp_servers", "container", "background", "store"}
    | {"modalities", "audio"}
)
# or a gateway in the provider's place (OpenRouter, LiteLLM) would ask another model, or another address.
A_GATEWAYS = frozenset({"models", "route", "provider", "plugins", "fallbacks", "api_base", "base_url", "api_key"})
RESERVED = SAID_ELSEWHERE | DEARER | A_GATEWAYS
ASKERS_TOOLS = frozenset({"function", "custom"})  # run by who asks; the provider's own cost by the use, and reach out


def check_extra(extra: Mapping[str, Any]) -> None:
    """At submit; a ValueError's sentence may be shown."""
    said = sorted(RESERVED & extra.keys())
    if said:
        raise ValueError(
            f"extra must not hold {', '.join(said)}: it is said elsewhere, or not the customer's to choose."
        )
    if not _asks_for_calls_only(extra.get("tools")):
        raise ValueError("tools in extra must be a list of functions that you call yourself, not the provider's own.")


def allowed(extra: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in extra.items() if name not in RESERVED}


def _asks_for_calls_only(tools: object) -> bool:
    """Anthropic's functions may be without a type."""
    if tools is None:
        return True
    if not isinstance(tools, list) or not all(isinstance(tool, Mapping) for tool in tools):
        return False
    return all(str(tool.get("type", "function")) in ASKERS_TOOLS for tool in tools)
