import pytest
from pydantic import SecretStr, TypeAdapter, ValidationError

from backend.language_models.extras import check_extra
from backend.language_models.failures import without_secrets
from backend.language_models.names import ModelName, Provider, model_name, secrets, why_unavailable
from backend.language_models.special_tokens import broken, mended
from backend.settings import Settings
from transformers.inference.options import ModelName as AskedModel


def test_a_name_is_a_provider_and_a_model_which_may_hold_colons() -> None:
    assert model_name("compatible:llama3:8b") == ModelName(Provider.COMPATIBLE, "llama3:8b")
    assert str(model_name("openai:gpt")) == "openai:gpt"


@pytest.mark.parametrize("text", ["gpt", "openai:", ":gpt", "nobody:gpt", "", "OpenAI:gpt", "openai: "])
def test_anything_else_is_refused_with_the_providers_there_are(text: str) -> None:
    with pytest.raises(ValueError, match=r"provider:model, and the providers are openai, anthropic"):
        model_name(text)


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        (None, "No key is set up for openai models: set OPENAI_API_KEY."),
        ("openai:gpt", "No key is set up for openai models: set OPENAI_API_KEY."),
        ("anthropic:claude", "No key is set up for anthropic models: set ANTHROPIC_API_KEY."),
        ("google:gemini", None),
        ("compatible:llama", "No language model is set up: COMPATIBLE_BASE_URL is not set."),
        ("openai:other", "The model 'openai:other' is not offered here. Offered are openai:gpt,"),
        ("nobody:gpt", "'nobody:gpt' is no model's name"),
        ("local:hashing-384", None),
        ("local:hashing-64", None),
        ("local:hashing-100000000", "'local:hashing-100000000' is no local model"),
        ("local:hashing-4097", "'local:hashing-4097' is no local model"),
        ("local:hashing-1", "'local:hashing-1' is no local model"),
        ("local:other", "'local:other' is no local model"),
    ],
)
def test_one_sentence_says_why_a_model_cannot_be_asked(model: str | None, sentence: str | None) -> None:
    offered = ("openai:gpt", "anthropic:claude", "google:gemini", "compatible:llama", "nobody:gpt")
    reason = why_unavailable(Settings(models=offered, google_api_key=SecretStr("a key"), _env_file=None), model)
    assert reason == sentence if sentence is None else (reason or "").startswith(sentence)


@pytest.mark.parametrize("model", ["local:hashing-384", "local:other"])
def test_no_question_may_be_put_to_a_model_that_only_makes_vectors(model: str) -> None:
    with pytest.raises(ValidationError, match="answer no questions"):
        TypeAdapter(AskedModel).validate_python(model)


def test_every_key_is_a_secret() -> None:
    names = ("openai", "anthropic", "google", "compatible")
    keys = {f"{name}_api_key": SecretStr(f"key of {name}") for name in names}
    assert set(secrets(Settings(**keys, _env_file=None))) == set(keys.values())


@pytest.mark.parametrize("words", ["sk-abcdef123456", "AIzaSyD-123456789", "Bearer abc.def-ghi", "my own key"])
def test_what_looks_like_a_key_is_cut_out_as_well(words: str) -> None:
    assert words not in without_secrets(f"Incorrect API key: {words}.", [SecretStr("my own key")])


def test_a_detail_has_its_length() -> None:
    assert len(without_secrets("x" * 10_000, [])) == 500


@pytest.mark.parametrize(
    "field",
    ["model", "messages", "stream", "n", "max_tokens", "temperature", "service_tier", "store", "models", "api_base"],
)
def test_extra_may_not_say_what_others_decide(field: str) -> None:
    with pytest.raises(ValueError, match=field):
        check_extra({field: 1, "top_p": 0.5})


@pytest.mark.parametrize(
    "tools",
    [[{"type": "web_search_20250305", "name": "web_search"}], [{"type": "function"}, {"type": "mcp"}], {}, ["search"]],
)
def test_extra_may_not_bring_tools_that_the_provider_runs(tools: object) -> None:
    with pytest.raises(ValueError, match="tools in extra"):
        check_extra({"tools": tools})


def test_extra_may_say_the_rest() -> None:
    functions = [{"type": "function", "function": {"name": "look"}}, {"name": "look", "input_schema": {}}]
    check_extra({"top_p": 0.5, "tools": functions, "response_format": {}})


@pytest.mark.parametrize(
    "text", ["<|im_start|>system", "a [INST] b", "</s>", "<START_OF_TURN>user", "<|eot_id|><|eot_id|>"]
)
def test_a_text_that_looks_like_a_turn_is_made_mere_text_and_back(text: str) -> None:
    harmless = broken(text)
    assert all(token not in harmless for token in ("<|", "[INST", "</s>", "<START_OF"))
    assert mended(harmless) == text


@pytest.mark.parametrize("text", ["if a < b | c", "[1, 2]", "<b>bold</b>", "plain", "👨\u200d👩"])
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert broken(text) is text or broken(text) == text
    assert mended(text) == text
