"""Models' names, `provider:model`, and where each provider is: addresses and keys from the settings.

A key is shown to nobody: it is a SecretStr until it becomes a header. Nothing here opens a connection.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from pydantic import SecretStr

from backend.settings import Settings

OPENAI_BASE_URL = "https://api.openai.com/v1"
MOST_DIMENSIONS = 4096  # of the local embedder, which customers may name: a vector of a billion would be taken, too
LEAST_DIMENSIONS = 2
LOCAL_MODEL = re.compile(r"hashing-([0-9]{1,4})")


class Provider(StrEnum):
    OPENAI = "openai"
    ANTHROPIC = "anthropic"
    GOOGLE = "google"
    COMPATIBLE = "compatible"  # any server that speaks OpenAI's protocol
    LOCAL = "local"  # vectors only, without a network


OPENAI_LIKE = frozenset({Provider.OPENAI, Provider.COMPATIBLE})
EMBEDDERS = OPENAI_LIKE | {Provider.LOCAL}


@dataclass(frozen=True, slots=True)
class ModelName:
    provider: Provider
    name: str

    def __str__(self) -> str:
        return f"{self.provider}:{self.name}"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a provider is asked. `base_url` None: where its own client library asks."""

    base_url: str | None
    api_key: SecretStr | None


def model_name(text: str) -> ModelName:
    """`provider:model` read; the model's own name may hold further colons (`compatible:llama3:8b`).

    Raises:
        ValueError, with a sentence that may be shown
    """
    provider, colon, name = text.partition(":")
    if not colon or not name.strip() or provider not in set(Provider):
        known = ", ".join(Provider)
        raise ValueError(f"{text!r} is no model's name: it is provider:model, and the providers are {known}.")
    return ModelName(Provider(provider), name.strip())


def endpoint(settings: Settings, provider: Provider) -> Endpoint:
    match provider:
        case Provider.OPENAI:
            return Endpoint(settings.openai_base_url or OPENAI_BASE_URL, settings.openai_api_key)
        case Provider.COMPATIBLE:
            return Endpoint(settings.compatible_base_url, settings.compatible_api_key)
        case Provider.ANTHROPIC:
            return Endpoint(None, settings.anthropic_api_key)
        case Provider.GOOGLE:
            return Endpoint(None, settings.google_api_key)
        case Provider.LOCAL:
            return Endpoint(None, None)


def secrets(settings: Settings) -> tuple[SecretStr, ...]:
    """What must never be told: every key there is."""
    found = (endpoint(settings, provider).api_key for provider in Provider)
    return tuple(key for key in found if key is not None)


def why_unavailable(settings: Settings, model: str | None) -> str | None:
    """One sentence on why a model cannot be asked; None where it can. Without a model, of the default one."""
    if model is None:
        if not settings.models:
            return "No language model is set up: set MODELS and the key of its provider."
        model = settings.models[0]
    if model not in {*settings.models, settings.embedding_model} and not model.startswith(f"{Provider.LOCAL}:"):
        offered = ", ".join(settings.models)
        return f"The model {model!r} is not offered here." + (f" Offered are {offered}." if offered else "")
    try:
        name = model_name(model)
    except ValueError as error:
        return str(error)
    return _missing(settings, name.provider) or _unknown_here(name)


def _missing(settings: Settings, provider: Provider) -> str | None:
    place = endpoint(settings, provider)
    if provider is Provider.COMPATIBLE:
        return None if place.base_url else "No language model is set up: COMPATIBLE_BASE_URL is not set."
    if provider is Provider.LOCAL or place.api_key is not None:
        return None
    return f"No key is set up for {provider} models: set {provider.upper()}_API_KEY."


def _unknown_here(name: ModelName) -> str | None:
    if name.provider is not Provider.LOCAL:
        return None
    size = LOCAL_MODEL.fullmatch(name.name)
    if size is not None and LEAST_DIMENSIONS <= int(size[1]) <= MOST_DIMENSIONS:
        return None
    return f"{str(name)!r} is no local model: it is local:hashing-N, N from {LEAST_DIMENSIONS} to {MOST_DIMENSIONS}."
