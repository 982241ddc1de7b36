"""Constraints that a table keeps already, suggested from its profile, and their files for other tools.

Pure: nothing here opens a table. `suggest_constraints` gives the rules; the exports write them down.
"""

from transformers.constraints.constraint import Constraint, ConstraintKind
from transformers.constraints.suggestions import suggest_constraints

__all__ = ["Constraint", "ConstraintKind", "suggest_constraints"]
