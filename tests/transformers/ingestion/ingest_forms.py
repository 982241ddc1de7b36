"""The form of an ingest, read as a customer's JSON is."""

import json

from transformers.ingestion.form import IngestForm


def form(**values: object) -> IngestForm:
    return IngestForm.model_validate_json(json.dumps(values), strict=True)
