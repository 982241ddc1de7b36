"""Approximate functional dependencies: `functional_dependencies`. Nothing here imports a heavy library."""

from transformers.dependencies.dependency import Dependency
from transformers.dependencies.discovery import functional_dependencies

__all__ = ["Dependency", "functional_dependencies"]
