"""What should stand in the cells that are wrong: `propose_repairs`. Nothing here imports a heavy library."""

from transformers.repair.proposals import propose_repairs

__all__ = ["propose_repairs"]
