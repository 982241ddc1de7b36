from typing import Any

import pytest
from mastering_chain import MasteringChain, rows_of
from pydantic import ValidationError
from workshop import Workshop

from transformers.agents import golden_record_builder, survivorship_resolver
from transformers.tool import Delivery

PEOPLE: dict[str, list[str | None]] = {
    "email": ["ann@x.org", "ANN@x.org", "bob@x.org", "bob@x.org", "cy@x.org", "cy@x.org"],
    "phone": ["123456", "123456", "777777", "999000", None, "555555"],
    "name": ["Ann", "Ann", "Bob", "Bob", "Cy", "Dan"],
}


def confidence(built: Delivery) -> list[float]:
    return [found for (found,) in rows_of(built.file("cross_reference"), ["probability"])]


def by_email(workshop: Workshop, weights: dict[str, float]) -> Delivery:
    """Where the resolver found the entities by the address alone."""
    chain = MasteringChain(workshop, PEOPLE)
    chain.run(survivorship_resolver.AGENT, {"match_key_columns": ["email"]})
    return chain.run(golden_record_builder.AGENT, {"match_key_weights": weights})


def test_agreement_in_exact_keys_counts_with_their_weights(workshop: Workshop) -> None:
    def of(**weights: float) -> float:
        built = workshop.deliver(golden_record_builder.AGENT, PEOPLE, {"match_key_weights": weights})
        return confidence(built)[0]

    assert of(name=0.4) == 0.4
    assert of(name=0.4, phone=0.3) == 0.7
    assert of(name=0.6, phone=0.6) == of(email=1, name=0.1) == of(email=3) == 1.0


def test_a_row_that_agrees_in_the_key_that_counts_is_surer_than_one_that_does_not(workshop: Workshop) -> None:
    ann, _, bob, _, cy, _ = confidence(by_email(workshop, {"email": 0.5, "phone": 0.5}))
    assert (ann, bob, cy) == (1.0, 0.5, 0.5)
    ann, _, bob, *_ = confidence(by_email(workshop, {"email": 0.2, "phone": 0.7}))
    assert (ann, bob) == (0.9, 0.2)


def test_weights_of_one_change_no_byte(workshop: Workshop) -> None:
    plain, full = by_email(workshop, {}), by_email(workshop, {"email": 1.0, "phone": 1.0, "name": 1.0})
    for kind in ("cross_reference", "lineage"):
        one, other = plain.file(kind), full.file(kind)
        assert one is not None
        assert other is not None
        assert one.read_bytes() == other.read_bytes()
    assert plain.table is not None
    assert full.table is not None
    assert plain.table.path.read_bytes() == full.table.path.read_bytes()


def test_weights_count_in_alike_keys(workshop: Workshop) -> None:
    names = ["Johnathan Miller", "Josephine Smith", "Alexander Brown", "Catherine Jones", "Frederick Clark"]
    streets = ["12 High Street", "3 Mill Lane", "77 Station Road", "5 Church Avenue", "9 Park Terrace"]
    data = {
        "name": [f"{name} {i}" for i in range(12) for name in names for _ in range(2)],
        "street": [f"{i}{street}" for i in range(12) for street in streets for _ in range(2)],
    }
    data["name"][0] = "Jonathan Miller 0"

    def of(**weights: float) -> list[float]:
        asked: dict[str, Any] = {"enable_fuzzy_matching": True, "match_key_weights": weights}
        return confidence(workshop.deliver(golden_record_builder.AGENT, data, asked))

    full, half = of(name=1, street=1), of(name=0.3, street=0.2)
    assert half[2] == round(full[2] * 0.5, 4) > 0
    assert 0 < half[0] <= round(full[0] * 0.5, 4)


def test_a_match_confidence_below_what_is_asked_is_told(workshop: Workshop) -> None:
    built = by_email(workshop, {"email": 0.3})
    assert built.result.data["match_confidence"] == {"records": 3, "mean": 0.3, "least": 0.3, "below": 3}
    assert any("match confidence" in alert.message for alert in built.result.alerts)
    assert not any("match confidence" in alert.message for alert in by_email(workshop, {"email": 1}).result.alerts)


def test_a_weight_is_no_negative_number() -> None:
    for weight in (-0.1, float("nan"), float("inf")):
        with pytest.raises(ValidationError):
            golden_record_builder.AGENT.parameters(match_key_weights={"name": weight})
