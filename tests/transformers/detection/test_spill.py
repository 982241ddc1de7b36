import pytest
from workshop import Workshop

from transformers.cells.columns import read_columns
from transformers.detection import detect_errors, spill


def test_a_text_is_taken_apart_once_however_many_columns_it_might_have_run_over_from(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken_apart, splits = list[str](), spill._splits

    def counted(text: str) -> list[spill.Split]:
        taken_apart.append(text)
        return splits(text)

    monkeypatch.setattr(spill, "_splits", counted)
    table = workshop.table({name: [f"{name} {n % 5}" for n in range(40)] for name in ("a", "b", "c", "d")})
    with workshop.database(table) as db:
        detect_errors(db, table, read_columns(db, table))
    assert sorted(taken_apart) == sorted(f"{name} {n}" for name in ("a", "b", "c", "d") for n in range(5))
