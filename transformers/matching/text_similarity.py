"""How alike two texts are: the cosine of their character trigrams, rare ones weighing more.

For each pair and text field the shared weight is summed once; the cosine, and how much of the smaller text lies
within the other, follow from it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from transformers.matching.fields import Field, FieldKind

if TYPE_CHECKING:
    import duckdb

CHARACTERS = 160  # of a text: beyond it more tells nothing new, and costs a row a trigram
WORDS_ABOVE = 150_000  # rows: there words take the place of trigrams, which would be tens of millions
WORDS = 24


@dataclass(frozen=True)
class TextSimilarity:
    """Tables er_grams{i} (r, t, w) and er_norms{i} (r, n); `measure` fills er_shared{i} (a, b, s)."""

    fields: tuple[Field, ...]

    @property
    def joined(self) -> str:
        """SQL: what the comparison of pairs `p`, `l`, `r` joins."""
        return " ".join(
            f"LEFT JOIN er_shared{f.index} s{f.index} ON s{f.index}.a = p.a AND s{f.index}.b = p.b"
            f" LEFT JOIN er_norms{f.index} nl{f.index} ON nl{f.index}.r = p.a"
            f" LEFT JOIN er_norms{f.index} nr{f.index} ON nr{f.index}.r = p.b"
            for f in self.fields
        )

    @property
    def measured(self) -> str:
        """SQL: the cosine c0 … and the share of the smaller text that lies within the other, w0 …, of each field."""
        return "".join(
            f", coalesce(s{i}.s / sqrt(nl{i}.n * nr{i}.n), 0) AS c{i}"
            f", coalesce(s{i}.s / least(nl{i}.n, nr{i}.n), 0) AS w{i}"
            for i in (field.index for field in self.fields)
        )

    def measure(self, db: "duckdb.DuckDBPyConnection", pairs: str) -> None:
        """The joins run as written: joined on the trigrams first, they would be a product of the table with itself."""
        db.execute("SET disabled_optimizers = 'join_order,build_side_probe_side'")
        for field in self.fields:
            i = field.index
            db.execute(
                f"CREATE OR REPLACE TEMP TABLE er_shared{i} AS SELECT p.a, p.b, sum(x.w)::FLOAT AS s FROM {pairs} p"
                f" JOIN er_grams{i} x ON x.r = p.a JOIN er_grams{i} y ON y.r = p.b AND y.t = x.t GROUP BY p.a, p.b"
            )
        db.execute("RESET disabled_optimizers")


def text_similarity(db: "duckdb.DuckDBPyConnection", fields: Sequence[Field], rows: int) -> TextSimilarity:
    chosen = tuple(field for field in fields if field.kind is FieldKind.TEXT)
    for field in chosen:
        _weigh(db, field, rows)
    return TextSimilarity(chosen)


def _weigh(db: "duckdb.DuckDBPyConnection", field: Field, rows: int) -> None:
    i = field.index
    text = f"'_' || replace(left({field.sql}, {CHARACTERS}), ' ', '_') || '_'"
    grams = f"list_transform(range(1, length({text}) - 1), lambda i: substr({text}, i, 3))"
    pieces = f"string_split({field.sql}, ' ')[:{WORDS}]" if rows > WORDS_ABOVE else grams
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE er_pieces AS SELECT r, (hash(t) % 4294967291)::UINTEGER AS t FROM"
        f" (SELECT r, unnest(list_distinct({pieces})) AS t FROM er_records WHERE {field.sql} IS NOT NULL)"
    )
    db.execute(
        "CREATE OR REPLACE TEMP TABLE er_rarity AS SELECT t,"
        f" power(ln(1 + {rows} / count(*)), 2)::FLOAT AS w FROM er_pieces GROUP BY t"
    )
    db.execute(f"CREATE OR REPLACE TEMP TABLE er_grams{i} AS SELECT r, t, w FROM er_pieces JOIN er_rarity USING (t)")
    db.execute(f"CREATE OR REPLACE TEMP TABLE er_norms{i} AS SELECT r, sum(w)::FLOAT AS n FROM er_grams{i} GROUP BY r")
    db.execute("DROP TABLE er_pieces; DROP TABLE er_rarity")
