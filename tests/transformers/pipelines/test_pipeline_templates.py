import pytest

from backend.clock import monotonic
from transformers.pipelines import sandbox
from transformers.pipelines.grammar import TemplateFault
from transformers.pipelines.templates import LONGEST_TEMPLATE, template


class Treasure:
    """What no template may get at, should it ever lie among the values."""

    secret = "gold"

    def __call__(self) -> str:
        return self.secret

    def __str__(self) -> str:
        return self.secret

    def __getitem__(self, key: object) -> str:
        return self.secret


VALUES = {"input": {"a": "text", "list": ["x", "y"], "n": 3, "o": {"k": 1}}, "treasure": Treasure()}

ATTACKS = [
    "{{ ''.__class__ }}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ input.__class__ }}",
    "{{ input['__class__'] }}",
    "{{ input.a.__class__ }}",
    "{{ input.a['__class__'] }}",
    "{{ input.list.append }}",
    "{{ input.items }}",
    "{{ input.items() }}",
    "{{ input.a.format }}",
    "{{ input.a.format(input) }}",
    "{{ '{0.__class__}'.format(input) }}",
    "{{ '%s' % input }}",
    "{{ input|attr('__class__') }}",
    "{{ input|map(attribute='__class__')|list }}",
    "{{ input|format }}",
    "{{ input.a|tojson(**input) }}",
    "{{ ['a']|join(*input.list) }}",
    "{{ self }}",
    "{{ self.__init__.__globals__ }}",
    "{{ self._TemplateReference__context }}",
    "{{ config }}",
    "{{ request.application.__globals__ }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ lipsum.__globals__['os'] }}",
    "{{ namespace }}",
    "{{ joiner() }}",
    "{{ range(10) }}",
    "{{ dict(a=1) }}",
    "{{ get_flashed_messages }}",
    "{{ treasure }}",
    "{{ treasure() }}",
    "{{ treasure.secret }}",
    "{{ treasure['secret'] }}",
    "{{ treasure[0] }}",
    "{{ treasure|upper }}",
    "{{ treasure|tojson }}",
    "{{ [treasure]|tojson }}",
    "{{ [treasure] }}",
    "{{ [treasure]|join }}",
    "{% for one in treasure %}{{ one }}{% endfor %}",
    "{% for i in input.list %}{{ loop }}{% endfor %}",
    "{% for i in input.list %}{{ loop.__class__ }}{% endfor %}",
    "{% for i in input.list %}{{ loop._iterable }}{% endfor %}",
    "{% for i in input.list %}{{ loop.cycle('a') }}{% endfor %}",
    "{% for i in input.list recursive %}{{ loop(input.list) }}{% endfor %}",
    "{% set x = input %}{{ x }}",
    "{% set x %}a{% endset %}",
    "{% with x = input %}{{ x }}{% endwith %}",
    "{% filter upper %}a{% endfilter %}",
    "{% macro m() %}{% endmacro %}{{ m() }}",
    "{% macro m() %}{{ caller() }}{% endmacro %}{% call m() %}a{% endcall %}",
    "{% include 'etc/passwd' %}",
    "{% import 'os' as os %}",
    "{% from 'os' import path %}",
    "{% extends 'base' %}",
    "{% block b %}a{% endblock %}",
    "{% do input.list.append(1) %}",
    "{% raw %}{{ open",
    "{{ 9999 ** 9999 }}",
    "{{ 'a' * 1000000000 }}",
    "{{ input.a ~ input.a }}",
    "{{ input.n + 1 }}",
    "{{ 0 }}{{ _context }}",
    "{{ context }}{{ environment }}",
    "{{ '' ' looped' | looped }}",
    "{{ input|pprint }}",
    "{{ input is callable }}",
    "{{ {'a': 1} }}",
    "{{ input[1:input:2] }}",
    "{{ " + "(" * 500 + "1" + ")" * 500 + " }}",
    "{{ " + "[" * 5_000 + "]" * 5_000 + " }}",
    "{{ not " * 400 + "x",
    "{% if input.a %}" * 60 + "{% endif %}" * 60,
    "{{ " + "9" * 5_000 + " }}",
    "{{ input.a }}" * 3_000,
    "{{ [" + "1," * 90_000 + "] }}",
    "a" * (LONGEST_TEMPLATE + 1),
]


@pytest.mark.parametrize("source", ATTACKS, ids=range(len(ATTACKS)))
def test_a_template_reaches_nothing_but_its_values(source: str) -> None:
    with pytest.raises(TemplateFault):
        template(source).fill(VALUES)


def filled(source: str, **values: object) -> str:
    return template(source).fill(values)


def test_a_dot_and_brackets_read_the_keys_of_an_object() -> None:
    assert filled("{{ input.a.b }} {{ input['a']['b'] }} {{ input.l[-1] }}", input={"a": {"b": "x"}, "l": [1, 2]}) == (
        "x x 2"
    )


def test_a_key_that_is_called_like_a_method_is_the_key() -> None:
    assert filled("{{ input.items }} {{ input.__class__ }}", input={"items": 3, "__class__": "mine"}) == "3 mine"


def test_text_stands_as_it_is_and_all_else_as_json() -> None:
    values = {"a": "<b> & 'c'", "b": {"x": [1, None, True]}, "c": None, "d": 1.5, "e": False}
    assert filled("{{ i.a }}|{{ i.b }}|{{ i.c }}|{{ i.d }}|{{ i.e }}", i=values) == (
        "<b> & 'c'|{\"x\": [1, null, true]}|null|1.5|false"
    )


def test_a_value_that_looks_like_a_template_is_data() -> None:
    assert filled("{{ a }}{{ a|upper }}", a="{{ 7*7 }}{% x %}") == "{{ 7*7 }}{% x %}{{ 7*7 }}{% X %}"


def test_loops_conditions_filters_and_tests() -> None:
    source = (
        "{% for r in rows if r.n %}{{ loop.index }}/{{ loop.length }} {{ r.t|trim|upper }}"
        "{% if not loop.last %}, {% endif %}{% else %}none{% endfor %}"
    )
    assert filled(source, rows=[{"n": 1, "t": " a "}, {"n": 0, "t": "b"}, {"n": 2, "t": "c"}]) == "1/2 A, 2/2 C"
    assert filled(source, rows=[]) == "none"
    assert filled("{{ a.b|default('-') }}{{ 'y' if a.c is defined else 'n' }}", a={"c": 1}) == "-y"
    assert filled("{{ a|join(', ') }} {{ a|length }} {{ a|first }} {{ a|last }} {{ a|tojson }}", a=[1, "b"]) == (
        '1, b 2 1 b [1, "b"]'
    )
    assert filled("{{ a[:2] }}{{ a|truncate(1) }}{{ -1 }}", a="abc") == "aba-1"


def test_the_line_break_at_the_end_is_the_writers() -> None:
    assert filled("a\n") == "a\n"


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("{{ a.output.title }}", "there is no a.output.title"),
        ("{{ a.output.list[3].x }}", "there is no a.output.list[3]"),
        ("{{ a['no'] }}", "there is no a.no"),
        ("{% if a.no %}x{% endif %}", "there is no a.no"),
        ("{% for x in a.no %}x{% endfor %}", "there is no a.no"),
        ("{{ a.no|tojson }}", "there is no a.no"),
        ("{{ b }}", "'b' is undefined"),
        ("{% for x in a.n %}x{% endfor %}", "only a list or an object can be looped over"),
        ("{{ a.n|upper }}", "upper, lower, trim and truncate take text"),
    ],
)
def test_what_is_missing_or_at_odds_is_named(source: str, sentence: str) -> None:
    with pytest.raises(TemplateFault, match=sentence.replace("[", r"\[")):
        filled(source, a={"output": {"list": []}, "n": 3})


def test_a_comparison_that_makes_no_sense_is_a_fault() -> None:
    with pytest.raises(TemplateFault, match="do not fit"):
        filled("{% if a < 3 %}x{% endif %}", a="x")


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("{{ a", "line 1: "),
        ("x\n{% for %}", "line 2: "),
        ("{{ my-step.output }}", "steps"),
        ("{{ f(1) }}", "nothing can be called"),
        ("{{ a|nothing }}", "No filter named 'nothing'"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(source: str, sentence: str) -> None:
    with pytest.raises(TemplateFault, match=sentence):
        template(source)


def test_loops_in_loops_end_by_their_turns() -> None:
    source = "{% for a in i %}{% for b in i %}{% for c in i %}{% endfor %}{% endfor %}{% endfor %}"
    with pytest.raises(TemplateFault, match="turn more than"):
        filled(source, i=list(range(400)))


def test_a_template_that_computes_for_long_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "SECONDS", 0.1)
    began, rows = monotonic(), [{"n": n} for n in range(20_000)]
    with pytest.raises(TemplateFault, match="takes more than"):
        filled("{% for a in i %}{% if i == j %}{% endif %}{% endfor %}", i=rows, j=[dict(row) for row in rows])
    assert monotonic() - began < 10, "all 400 million comparisons take longer"


def test_filters_in_a_loop_do_not_work_without_end() -> None:
    with pytest.raises(TemplateFault, match="filters and slices make more than"):
        filled("{% for a in i %}{% if i|tojson|length > 5 %}{% endif %}{% endfor %}", i=["x" * 100] * 3_000)


@pytest.mark.parametrize("end", ["", "|tojson", "|join", "|join|length", "|tojson|length"])
def test_a_list_of_the_same_text_a_thousand_times_is_not_written(end: str) -> None:
    many = template(f"{{{{ [{'input.a, ' * 1_000}]{end} }}}}")
    with pytest.raises(TemplateFault, match="makes more than"):
        many.fill({"input": {"a": "x" * 500_000}})


def test_slices_are_counted_as_they_are_made() -> None:
    many = template(f"{{{{ [{'input.a[1:], ' * 1_000}]|length }}}}")
    with pytest.raises(TemplateFault, match="slices make more than"):
        many.fill({"input": {"a": "x" * 500_000}})


def test_comparisons_within_an_expression_are_on_the_account(monkeypatch: pytest.MonkeyPatch) -> None:
    many = template("{{ [input.a == input.b, input.a in input.list] }}")
    values = {"input": {"a": 1, "b": 1, "list": [2]}}
    assert many.fill(values) == "[true, false]"
    ticks = iter(range(100))
    monkeypatch.setattr(sandbox, "monotonic", lambda: float(next(ticks)))
    with pytest.raises(TemplateFault, match="takes more than"):
        many.fill(values, spent=sandbox.Spent(deadline=1.5))


def test_a_filter_makes_no_giant() -> None:
    with pytest.raises(TemplateFault, match="more than"):
        filled("{{ a|join(b) }}", a=["x"] * 100_000, b="-" * 100_000)


def test_more_text_than_is_allowed_is_a_fault() -> None:
    with pytest.raises(TemplateFault, match="more than the 10 bytes"):
        template("{{ a }}").fill({"a": "é" * 6}, longest=10)


def test_it_says_what_it_names_and_where() -> None:
    read = template("{{ input.a[0].b }}{% for x in s.output %}{{ x.y }}{{ input[x] }}{% endfor %}{{ steps['b-c'].z }}")
    assert read.names == {"input", "s", "steps"}
    assert {str(use) for use in read.uses} == {"input.a[0].b", "s.output", "input", "steps.b-c.z"}
    assert read.loops == 1


def test_a_loops_own_variables_are_its_own_and_only_within_it() -> None:
    read = template("{% for x, y in pairs if x %}{{ x }}{{ loop.index }}{{ z }}{% else %}{{ y }}{% endfor %}{{ x }}")
    assert read.names == {"pairs", "z", "y", "x"}
    assert template("{% for x in rows %}{% for y in x %}{{ x }}{{ y.z }}{% endfor %}{% endfor %}").names == {"rows"}
    assert template("{% for x in x.rows %}{{ x.y }}{% endfor %}").uses == template("{{ x.rows }}").uses
