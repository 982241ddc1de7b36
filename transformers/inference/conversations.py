"""The conversation that a question is: said in the form, uploaded as a file, or both, one after the other."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from backend.errors import BadParameters, UnreadableFile
from backend.language_models.questions import Message, Role

MESSAGES = "messages"  # the role of the uploaded file
MOST_MESSAGES = 1000


class Turn(Message):
    """What a user or the model said; what the system says has a field of its own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    role: Literal[Role.USER, Role.ASSISTANT]


class UploadedMessage(Message):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Conversation(BaseModel):
    """The file: a list of messages, or these fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    messages: tuple[UploadedMessage, ...] = Field(default=(), max_length=MOST_MESSAGES)
    history: tuple[Turn, ...] = Field(default=(), max_length=MOST_MESSAGES)
    system: str = ""
    prompt: str = ""


_MESSAGES: TypeAdapter[tuple[UploadedMessage, ...]] = TypeAdapter(
    Annotated[tuple[UploadedMessage, ...], Field(max_length=MOST_MESSAGES)]
)


def read_conversation(body: bytes) -> Conversation:
    """
    Raises:
        UnreadableFile
    """
    body = body.removeprefix(b"\xef\xbb\xbf")
    try:
        if body.lstrip()[:1] == b"[":
            return Conversation(messages=_MESSAGES.validate_json(body, strict=True))
        return Conversation.model_validate_json(body, strict=True)
    except ValidationError as error:
        raise UnreadableFile(_said(error)) from None


def messages_of(
    prompt: str, system: str, history: Sequence[Message], conversation: Conversation | None
) -> tuple[Message, ...]:
    """What the form says comes after the file, and its system in place of the file's.

    Raises:
        BadParameters: in the end nothing is asked.
    """
    file = conversation or Conversation()
    system = system or file.system
    said: list[Message] = [Message(role=Role.SYSTEM, content=system)] if system else []
    said += [*file.messages, *file.history]
    said += _asked(file.prompt)
    said += [*history, *_asked(prompt)]
    if not said or said[-1].role is not Role.USER:
        raise BadParameters(
            "generate: prompt: is needed, or a file for the role 'messages' whose last message is the user's.",
            agent="generate",
            field="prompt",
        )
    return tuple(said)


def _asked(prompt: str) -> list[Message]:
    return [Message(role=Role.USER, content=prompt)] if prompt.strip() else []


def _said(error: ValidationError) -> str:
    first: Any = error.errors(include_url=False, include_context=False, include_input=False)[0]
    if first["type"] == "json_invalid":
        return "The messages are not valid JSON."
    field = ".".join(str(part) for part in first["loc"])
    return f"messages: {field or 'the file'}: {str(first['msg']).removeprefix('Input ').removesuffix('.')}."
