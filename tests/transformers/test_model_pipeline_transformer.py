import json
import subprocess
import sys
from typing import Any

import pytest

from backend.clock import monotonic
from backend.errors import UnreadableFile
from backend.language_models.questions import Usage
from transformers.forms import read_forms
from transformers.model_pipeline_transformer import MODEL_PIPELINE, PIPELINE, models, unfold
from transformers.pipelines import prompts
from transformers.pipelines.given import InputAtSubmit
from transformers.pipelines.prompts import Known, messages, most_tokens
from transformers.tool import GivenFile


def forms(*steps: dict[str, Any], **more: Any) -> Any:
    return read_forms(MODEL_PIPELINE, {PIPELINE: {"steps": list(steps), **more}})


def step(name: str, prompt: str = "Hello", **more: object) -> dict[str, Any]:
    return {"name": name, "prompt_template": prompt, **more}


def bounds(*steps: dict[str, Any], given: Any = None, **more: Any) -> list[Usage]:
    return [one.bound(one.form, given or {}, ()) for one in unfold(forms(*steps, **more)) if one.bound]


def test_each_step_becomes_one_of_the_task_in_order() -> None:
    steps = unfold(forms(step("c", after=["a", "b"]), step("a"), step("b", after=["a"])))
    assert [(one.id, one.after, one.required, one.agent.waits) for one in steps] == [
        ("a", (), False, True),
        ("b", ("a",), False, True),
        ("c", ("a", "b"), False, True),
    ]


def test_only_a_step_that_reads_the_input_hangs_on_it() -> None:
    steps = unfold(forms(step("a", "{{ input.x }}"), step("b"), input={"x": 1}))
    assert [one.form.input for one in steps] == [{"x": 1}, None]
    other = unfold(forms(step("a", "{{ input.x }}"), step("b"), input={"x": 2}))
    assert [one.form.model_dump() == its.form.model_dump() for one, its in zip(steps, other, strict=True)] == [
        False,
        True,
    ]


def test_a_big_input_is_not_repeated_in_each_step_of_a_report() -> None:
    (one,) = unfold(forms(step("a", "{{ input }}"), input="x" * 10_000))
    assert len(one.form.model_dump_json()) < 1_000


def test_every_model_is_named_and_the_default_is_empty() -> None:
    asked = forms(step("a", model="openai:x", fallback_models=["openai:y"]), step("b"))
    assert set(models(asked)) == {"openai:x", "openai:y", ""}


def test_the_most_that_a_step_uses_is_its_words_what_it_reads_and_its_longest_answer() -> None:
    limited = {"options": {"max_tokens": 100}}
    steps = step("a", "é{{ input.x }}", **limited), step("b", "{{ a.output }}!{{ a.output }}", after=["a"])
    first, second = bounds(*steps, input={"x": "yy"})
    assert first == Usage(calls=1, input_tokens=2 + 4 + 16 + 2, output_tokens=100)
    assert second == Usage(calls=1, input_tokens=201 + 16 + 2, output_tokens=1024)


def test_an_answer_with_a_schema_is_held_for_with_its_repairs() -> None:
    (plain,), (checked,) = bounds(step("a")), bounds(step("a", output_schema={"type": "object"}))
    assert checked.calls == 4
    assert checked.input_tokens > 4 * plain.input_tokens
    assert checked.output_tokens == 4 * plain.output_tokens


def test_what_is_read_by_its_place_among_the_steps_is_counted() -> None:
    _, bound = bounds(step("a-b", options={"max_tokens": 100}), step("c", "{{ steps['a-b'].output }}", after=["a-b"]))
    assert bound.input_tokens == 100 + len("a-b") + 16 + 2  # a key is text, too


@pytest.mark.parametrize(
    "template",
    [
        "{% for x in input.rows %}A long sentence about {{ x.n }} and {{ x.n }}.\n{% endfor %}",
        "{% for x in input.rows %}{% for y in x.in %}[a cell with {{ y }}]{% endfor %}{% endfor %}",
        "{{ input }}{{ input.rows|tojson }}{{ input.rows|join('-') }}",
        "{{ input.text|upper }}{{ input.text }}",
        "{{ input.numbers|join(', and then the number ') }}",
    ],
)
def test_no_prompt_is_longer_than_what_is_held(template: str) -> None:
    given = {"text": 'ß\n"', "numbers": list(range(9)), "rows": [{"n": n, "in": [n, n]} for n in range(50)]}
    (one,) = forms(step("a", template), input=given)[PIPELINE].steps
    (said,) = messages(one, given, {})
    assert len(said.content.encode()) <= most_tokens(one, Known({"input": given}), {})[0]


def test_a_thousand_paths_that_lead_nowhere_are_weighed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    weighed: list[str] = []
    monkeypatch.setattr(prompts, "weight", lambda text: weighed.append(text) or len(text))
    template = "".join(f"{{{{ input.x{number} }}}}" for number in range(1_000))
    bounds(step("a", template), given=None, input={"text": "x" * 10_000})
    assert len(weighed) == 1


def test_the_file_is_read_once_for_all_steps_and_only_when_one_needs_it() -> None:
    reads = []
    file = GivenFile("input.json", 9, lambda: reads.append(1) or b'{"x": "yyyy"}')  # type: ignore[func-returns-value]
    found = bounds(step("a", "{{ input.x }}"), step("b", "{{ input.x }}"), given={"input": [file]})
    assert [one.input_tokens for one in found] == [24, 24]
    assert bounds(step("a"), given={"input": [file]})[0].input_tokens == 23
    assert len(reads) == 1


def test_a_file_that_is_no_json_is_told_at_submit() -> None:
    with pytest.raises(UnreadableFile):
        InputAtSubmit(None).known({"input": [GivenFile("input.json", 1, lambda: b"{")]})


def test_the_parameters_come_before_the_file() -> None:
    file = GivenFile("input.json", 1, lambda: b"{")
    assert InputAtSubmit({"x": 1}).known({"input": [file]}).values == {"input": {"x": 1}}


def test_the_declaration_imports_no_template_engine() -> None:
    code = (
        "import sys, transformers.model_pipeline_transformer;"
        "print({'jinja2', 'jsonschema', 'pydantic_ai', 'openai', 'aiohttp', 'pandas', 'sqlalchemy'} & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


def test_the_form_is_json_schema() -> None:
    schema = json.dumps(MODEL_PIPELINE.steps[0].agent.parameters.model_json_schema())
    assert "prompt_template" in schema
    assert "fallback_models" in schema


def test_a_large_input_that_is_read_often_is_measured_once() -> None:
    given = {"rows": [{"n": n, "text": "x" * 80} for n in range(8_000)]}
    steps = [step(f"s{n}", "{{ input }}" * 50 + str(n)) for n in range(20)]
    began = monotonic()
    assert len(bounds(*steps, input=given)) == 20
    assert monotonic() - began < 5, "one time takes some 10 ms, and there are 1,000"
