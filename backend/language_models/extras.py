"""What a question's `extra` may hold: any field of the provider's request but those that others decide."""

from collections.abc import Mapping
from typing import Any

# Said by the question itself; or it would change who answers, how many answers are paid, or how they come;
SAID_ELSEWHERE = frozenset(
    {"model", "messages", "stream", "stream_options", "n", "best_of", "temperature"}
    | {"max_tokens", "max_completion_tokens"}
)
# or the provider would charge the operator for more than tokens at their usual price, reach out, or keep what was said.
DEARER = frozenset({"service_tier", "speed", "web_search_options", "mcp_servers", "container", "background", "store"})
RESERVED = SAID_ELSEWHERE | DEARER


def check_extra(extra: Mapping[str, Any]) -> None:
    """At submit; a ValueError's sentence may be shown."""
    said = sorted(RESERVED & extra.keys())
    if said:
        raise ValueError(
            f"extra must not hold {', '.join(said)}: it is said elsewhere, or not the customer's to choose."
        )


def allowed(extra: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in extra.items() if name not in RESERVED}
