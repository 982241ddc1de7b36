"""The door for customers' data: `read_table` and `sniff_format`. Nothing here imports a heavy library."""

from transformers.intake.door import read_table
from transformers.intake.formats import sniff_format

__all__ = ["read_table", "sniff_format"]
