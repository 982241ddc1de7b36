"""What stewards say before entities are looked for: pairs they have judged, and sources that hold each thing once."""

from pydantic import Field

from transformers.tool import AgentParameters


class StewardedParameters(AgentParameters):
    """A part of the forms of all agents that find entities."""

    steward_labels: list[tuple[int, int, bool]] = Field(
        default=[], max_length=10_000, description="Pairs of rows of the file, and whether they are one entity."
    )
    link_only_across: str | None = Field(
        default=None, description="A column of sources, each of which holds an entity once: matches are between them."
    )
