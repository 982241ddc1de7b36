"""What a pipeline is given: with its parameters, or as a JSON file for the role `input`.

The API reads it; what knows templates is imported when there is one.
"""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from backend.errors import UnreadableFile
from transformers.pipelines.graph import INPUT
from transformers.reporting.plain_json import fault_in
from transformers.tool import Given

if TYPE_CHECKING:
    from transformers.pipelines.prompts import Known

LARGEST = 2**20  # bytes; it goes into prompts, and is read anew for each step


def read_input(body: bytes) -> Any:
    """The file's value. Raises UnreadableFile."""
    try:
        value = json.loads(body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise UnreadableFile("The input is not valid JSON.") from None
    if (fault := fault_in(value)) is not None:
        raise UnreadableFile(f"The input is not accepted: {fault}.")
    return value


def digest_of(value: Any) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


@dataclass
class InputAtSubmit:
    """The input as the submit knows it, for all steps of one task: read, digested and measured once."""

    value: Any  # from the parameters
    _known: "Known | None" = None

    @cached_property
    def digest(self) -> str:
        return digest_of(self.value)

    def known(self, given: Given) -> "Known":
        """Raises UnreadableFile."""
        from transformers.pipelines.prompts import Known

        if self._known is None:
            files = given.get(INPUT, ())
            value = read_input(files[0].read()) if self.value is None and files else self.value
            self._known = Known({INPUT: value})
        return self._known
