"""The stages of clean-my-data in running order: one line each.

The previewer and the agents both take them from here.
"""

from types import MappingProxyType

from transformers.cleaning import duplicates, nulls, outliers, quarantine, standards, type_fixing
from transformers.cleaning.rules import Stage

_ALL: tuple[Stage, ...] = (
    quarantine.STAGE,
    type_fixing.STAGE,
    standards.STAGE,
    duplicates.STAGE,
    nulls.STAGE,
    outliers.STAGE,
)

STAGES = MappingProxyType({stage.agent_id: stage for stage in _ALL})
