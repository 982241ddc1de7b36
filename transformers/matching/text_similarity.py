"""How alike two texts are: the cosine of their character trigrams, rare ones weighing more.

For each pair the shared weight is summed once; the cosine, and how much of the smaller text lies within the other,
follow from it. One field at a time, and of some pairs: what is held grows with neither.
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
    """Tables er_grams{i} (r, t, w, n): the pieces of a record's text, their weights, and the weight of them all.

    `pieces` is how many a record has, at most of all fields.
    """

    fields: tuple[Field, ...]
    pieces: float

    def measure(self, db: "duckdb.DuckDBPyConnection", field: Field, pairs: str) -> None:
        """Fill `er_shared` (a, b, c, w): the cosine, and the share of the smaller text that lies within the other.

        The joins run as written: joined on the trigrams first, they would be a product of the table with itself.
        """
        grams = f"er_grams{field.index}"
        [(first, last)] = db.execute(f"SELECT coalesce(min(a), 0), coalesce(max(a), 0) FROM {pairs}").fetchall()
        db.execute("SET disabled_optimizers = 'join_order,build_side_probe_side'")
        try:
            db.execute(
                "CREATE OR REPLACE TEMP TABLE er_shared AS SELECT a, b, s / sqrt(n * m) AS c, s / least(n, m) AS w FROM"
                " (SELECT z.a, z.b, sum(z.w)::FLOAT AS s, any_value(z.n) AS n, any_value(y.n) AS m"
                f" FROM {grams} y JOIN (SELECT p.a, p.b, x.t, x.w, x.n FROM {grams} x JOIN {pairs} p ON x.r = p.a"
                f" WHERE x.r BETWEEN {first} AND {last}) z ON y.r = z.b AND y.t = z.t GROUP BY z.a, z.b)"
            )
        finally:
            db.execute("RESET disabled_optimizers")


def text_similarity(db: "duckdb.DuckDBPyConnection", fields: Sequence[Field], rows: int) -> TextSimilarity:
    chosen = tuple(field for field in fields if field.kind is FieldKind.TEXT)
    return TextSimilarity(chosen, max((_weigh(db, field, rows) for field in chosen), default=0.0))


def _weigh(db: "duckdb.DuckDBPyConnection", field: Field, rows: int) -> float:
    """How many pieces there are for a record."""
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
    db.execute("CREATE OR REPLACE TEMP TABLE er_pieces AS SELECT r, t, w FROM er_pieces JOIN er_rarity USING (t)")
    db.execute("CREATE OR REPLACE TEMP TABLE er_norms AS SELECT r, sum(w)::FLOAT AS n FROM er_pieces GROUP BY r")
    [(count,)] = db.execute(
        f"CREATE OR REPLACE TEMP TABLE er_grams{i} AS SELECT r, t, w, n FROM er_pieces JOIN er_norms USING (r)"
    ).fetchall()
    db.execute("DROP TABLE er_pieces; DROP TABLE er_rarity; DROP TABLE er_norms")
    return float(count / max(rows, 1))
