import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from bench.chart import chart
from bench.growth import growth, works
from bench.measure import Figure
from bench.overview import overview

SVG = "{http://www.w3.org/2000/svg}"
STEPS = Figure(
    "P1", "Forty <light> & steps", "s", 0.25, bar=0.3,
    peers={"dbos": 0.2, "celery": 0.1}, published={"Airflow & others": 116.0},
)  # fmt: skip


def texts(picture: str) -> list[str]:
    return ["".join(one.itertext()) for one in ET.fromstring(picture).iter(f"{SVG}text")]  # noqa: S314 (our own)


def drawn(picture: str, kind: str) -> list[ET.Element]:
    return [one for one in ET.fromstring(picture).iter() if one.get("class") == kind]  # noqa: S314


def test_a_chart_is_well_formed_and_names_everybody_with_the_published_apart() -> None:
    said = texts(chart(STEPS.as_json()))
    order = [said.index(name) for name in ("Agensium", "celery", "dbos", "Airflow & others")]
    assert order == sorted(order)
    assert "as they publish it, on machines of theirs" in said[order[2] : order[3]]
    assert "P1  Forty <light> & steps" in said


def test_a_chart_follows_the_readers_light_or_dark() -> None:
    assert "prefers-color-scheme:dark" in chart(STEPS.as_json())


def test_bars_begin_at_nothing_and_where_they_differ_much_there_are_dots_on_powers_of_ten() -> None:
    alike = chart(replace(STEPS, published={}).as_json())
    assert len(drawn(alike, "peer")) == 2
    assert not list(ET.fromstring(alike).iter(f"{SVG}circle"))  # noqa: S314
    assert "0" in texts(alike)
    assert "a scale of powers of ten" in chart(STEPS.as_json())
    assert list(ET.fromstring(chart(STEPS.as_json())).iter(f"{SVG}circle"))  # noqa: S314


def test_a_share_is_drawn_as_what_is_lost() -> None:
    share = Figure("P2", "Share", "%", 99.5, bar=99.0, less_is_better=False, peers={"dbos": 99.8})
    said = " ".join(texts(chart(share.as_json()))).replace("\N{NO-BREAK SPACE}", " ")
    assert "what is lost" in said
    assert "0.5 %" in said
    assert "bar ≤ 1 %" in said


@pytest.mark.parametrize("ours", [0.0, 1.0, 1e6])
def test_any_figure_can_be_drawn(ours: float) -> None:
    figure = replace(STEPS, ours=ours, peers={"nobody": 0.0}, published={}, bar=None)
    assert texts(chart(figure.as_json()))
    assert texts(overview([replace(figure, bar=1.0).as_json()]))


def test_of_all_bars_it_is_said_which_are_held() -> None:
    missed = replace(STEPS, id="P9", bar=0.1)
    picture = overview([STEPS.as_json(), missed.as_json()])
    assert any("1 of 2 held" in said for said in texts(picture))
    assert drawn(picture, "held")
    assert drawn(picture, "missed")


def test_runs_on_tables_are_lines_by_rows_and_one_that_failed_has_no_point() -> None:
    runs = {"10,000 rows": {"s": 1.5}, "100,000 rows": {"s": 9.0}, "1,000,000 rows": {"s": 60.0, "failed": "60 s"}}
    detail = {"ours": runs, "pandas": {"10,000 rows": {"s": 1.5}}, "version": "3"}
    beside = replace(STEPS, title="Profile 10,000 rows, beside pandas", detail=detail)
    found = works([beside.as_json(), STEPS.as_json()])
    assert found == {"Profile": {"ours": {10_000: 1.5, 100_000: 9.0}, "pandas": {10_000: 1.5}}}
    said = texts(growth("Profile", found["Profile"]))
    assert "Agensium  9 s" in said
    assert "pandas  1.5 s" in said
    assert len(drawn(growth("Profile", found["Profile"]), "peer")) == 1, "one size is a point, no line"
