"""Which cells are wrong, without labels: `detect_errors`. Nothing here imports a heavy library."""

from transformers.detection.detect import detect_errors

__all__ = ["detect_errors"]
