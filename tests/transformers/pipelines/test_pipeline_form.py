import pytest

from backend.clock import monotonic
from backend.errors import BadParameters
from transformers.forms import read_forms
from transformers.model_pipeline_transformer import MODEL_PIPELINE, PIPELINE
from transformers.pipelines.graph import in_order

UNENDED = "unexpected end of template, expected 'end of print statement'."


def step(name: str, prompt: str = "Hello", **more: object) -> dict[str, object]:
    return {"name": name, "prompt_template": prompt, **more}


def refusal(*steps: object, **more: object) -> str:
    with pytest.raises(BadParameters) as error:
        read_forms(MODEL_PIPELINE, {PIPELINE: {"steps": list(steps), **more}})
    return str(error.value)


def test_a_whole_pipeline_is_taken() -> None:
    forms = read_forms(
        MODEL_PIPELINE,
        {
            PIPELINE: {
                "input": {"text": "long"},
                "steps": [
                    step("read", "Sum up: {{ input.text }}", model="openai:a", fallback_models=["openai:b"]),
                    {
                        "name": "judge-it",
                        "system": "You are strict about {{ input.text }}.",
                        "messages": [{"role": "user", "content": "{{ read.output }} {{ steps['read'].model }}"}],
                        "options": {"temperature": 0, "max_tokens": 10, "extra": {"seed": 1}},
                        "timeout": 5,
                        "output_schema": {"type": "object"},
                        "after": ["read"],
                        "cache_seconds": 60,
                    },
                ],
            }
        },
    )
    assert [one.name for one in forms[PIPELINE].steps] == ["read", "judge-it"]
    assert [said.role for said in forms[PIPELINE].steps[1].templates] == ["system", "user"]


@pytest.mark.parametrize(
    ("steps", "sentence"),
    [
        ([step("a"), step("a")], "pipeline: parameters: two steps are called 'a'."),
        ([step("a", after=["b"])], "pipeline: parameters: the step 'a' comes after 'b', and there is no such step."),
        ([step("a", after=["a"])], "pipeline: parameters: the step 'a' comes after itself."),
        (
            [step("a", after=["c"]), step("b", after=["a"]), step("c", after=["b"])],
            "pipeline: parameters: the steps wait for each other in a circle: a → c → b → a.",
        ),
        (
            [step("a"), step("b", "{{ a.output }}")],
            "pipeline: parameters: the template of the step 'b' reads the result of 'a': add 'a' to its `after`.",
        ),
        (
            [step("a-b"), step("b", "{{ steps['a-b'].output }}")],
            "pipeline: parameters: the template of the step 'b' reads the result of 'a-b': add 'a-b' to its `after`.",
        ),
        (
            [step("a"), step("b", after=["a"]), step("c", "{{ a.output }}", after=["b"])],
            "pipeline: parameters: the template of the step 'c' reads the result of 'a': add 'a' to its `after`.",
        ),
        (
            [step("a", "{{ inptu }}")],
            "pipeline: parameters: the template of the step 'a' reads 'inptu', which is neither `input` nor a step.",
        ),
        ([step("a", "{{ a.output }}")], "pipeline: parameters: the template of the step 'a' reads its own result."),
        (
            [step("a", "{{ input")],
            "pipeline: parameters: the template of the step 'a' is not accepted: line 1: " + UNENDED,
        ),
        ([step("input")], "pipeline: parameters: a step cannot be called 'input': the name is taken."),
        (
            [{"name": "a"}],
            "pipeline: steps.0: the step 'a' needs either a prompt_template or messages.",
        ),
    ],
)
def test_what_is_wrong_with_a_pipeline_is_told_by_its_step(steps: list[dict[str, object]], sentence: str) -> None:
    assert refusal(*steps) == sentence


@pytest.mark.parametrize("name", ["A", "1a", "a b", "", "a" * 64, "_a", "a.b"])
def test_a_name_is_a_lower_case_word(name: str) -> None:
    assert refusal(step(name)).startswith("pipeline: steps.0.name: ")


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"timeout": 601}, "timeout"),
        ({"timeout": 0}, "timeout"),
        ({"options": {"temperature": 3}}, "options.temperature"),
        ({"options": {"max_tokens": 0}}, "options.max_tokens"),
        ({"options": {"extra": {"model": "x"}}}, "options.extra"),
        ({"output_schema": {"type": "no such type"}}, "output_schema"),
        ({"nonsense": "x"}, "nonsense"),
        ({"messages": [{"role": "user", "content": "x"}]}, ""),
    ],
)
def test_a_field_out_of_range_is_named(more: dict[str, object], field: str) -> None:
    assert refusal(step("a", **more)).startswith(f"pipeline: steps.0{field and '.'}{field}: ")


def test_there_are_at_most_fifty_steps_and_at_least_one() -> None:
    assert "steps" in refusal(*[step(f"s{number}") for number in range(51)])
    assert "steps" in refusal()


def test_steps_are_ordered_by_what_they_come_after_and_else_as_given() -> None:
    assert in_order({"d": ["a", "c"], "b": [], "a": ["b"], "c": ["b"]}) == ["b", "a", "c", "d"]


def test_templates_that_take_long_to_read_are_refused_soon() -> None:
    began = monotonic()
    assert "together have more than 10,000 parts" in refusal(*(step(f"s{n}", "{{ 1 }}" * 1_000) for n in range(50)))
    assert monotonic() - began < 5
