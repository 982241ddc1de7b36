"""Probabilistic entity resolution: which rows speak of the same person, place or thing.

blocking → comparisons → model (expectation–maximisation) → calibration → clusters or one-to-one links → entity ids.
"""

from transformers.matching.entity_ids import EntityIds, entity_ids
from transformers.matching.resolution import resolve_entities
from transformers.matching.summary import ModelSummary, Resolution

__all__ = ["EntityIds", "ModelSummary", "Resolution", "entity_ids", "resolve_entities"]
