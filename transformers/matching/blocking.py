"""Which pairs are worth comparing: candidate keys from the kinds of the fields, bounded by a budget of pairs.

Each rule gives its smallest (rarest) blocks first, up to its share of the budget; a pair's weight is how unlikely its
shared keys are, and when all rules together find more than the budget, the heaviest pairs stay.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from transformers.matching.fields import Field, FieldKind
from transformers.matching.records import Size

if TYPE_CHECKING:
    import duckdb

EVERY_PAIR = 600_000  # up to about 1,100 rows no pair need be left out
PAIRS_A_ROW = 30
FEWEST_PAIRS = 1_000_000  # of the budget: small tables can afford more a row
MOST_PAIRS = 2_000_000  # bounds memory (a spilled row a pair) and time, whatever the table
RULE_PAIRS_A_ROW = 12
MOST_RULE_PAIRS = 1_200_000
KEYED_FIELDS = 6  # two keys each: 15 pairs of fields, 60 rules
MANY_ROWS = 300_000  # from here on each rule takes seconds
KEYED_OF_MANY = 4  # 6 pairs of fields, 24 rules
HASHES = 4294967291  # the largest prime below 2^32: two keys that meet by chance cost a comparison, no more
WORDS_KEYED = 12  # of a long text
SHORTEST_WORD = 2


@dataclass(frozen=True)
class Key:
    """`sql` over er_records: a value, or a list of them, that two records of one entity often share."""

    label: str
    sql: str
    field: int
    is_list: bool = False


@dataclass(frozen=True)
class BlockingRule:
    """What a rule found. `left_out` are pairs in blocks too large for its share of the budget."""

    label: str
    pairs: int
    left_out: int


@dataclass(frozen=True)
class Proposed:
    """`pairs` are in the table `er_pairs`; `dropped` were over the budget."""

    rules: tuple[BlockingRule, ...]
    pairs: int
    dropped: int = 0


@dataclass(frozen=True)
class _Rule:
    label: str
    keys: tuple[Key, ...]


def phonetic(text: str) -> str:
    """Soundex without its weakness for vowels, in SQL: the first letter and the classes of the consonants."""
    letters = f"regexp_replace({text}, '[^a-z]', '', 'g')"
    classes = f"translate({letters}, 'bfpvcgjkqsxzdtlmnraeiouyhw', '11112222222233455600000000')"
    for digit in "123456":
        classes = f"regexp_replace({classes}, '{digit}+', '{digit}', 'g')"
    return f"coalesce(nullif(left({text}, 1) || left(substr(replace({classes}, '0', ''), 2), 3), ''), left({text}, 3))"


def keys_of(field: Field) -> tuple[Key, ...]:
    f, name, i = field.sql, field.name, field.index
    if field.kind is FieldKind.NAME:
        return (Key(f"{name} (sound)", phonetic(f), i), Key(f"{name} (first letters)", f"left({f}, 3)", i))
    if field.kind is FieldKind.DATE:
        month_day = f"CASE WHEN right({f}, 4) <> '0000' THEN right({f}, 4) END"
        return (Key(f"{name} (year)", f"left({f}, 4)", i), Key(f"{name} (month and day)", month_day, i))
    if field.kind is FieldKind.CODE:
        return (Key(f"{name} (first four)", f"left({f}, 4)", i), Key(f"{name} (last four)", f"right({f}, 4)", i))
    if field.kind is FieldKind.EMAIL:
        letters = f"regexp_replace(split_part({f}, '@', 1), '[^a-z]+', '', 'g')"
        return (
            Key(f"{name} (letters)", f"left({letters}, 5)", i),
            Key(f"{name} (domain)", f"split_part({f}, '@', 2)", i),
        )
    if field.kind is FieldKind.TEXT:
        words = f"list_distinct({_words(f)})"
        return (Key(f"{name} (a word)", words, i, is_list=True), Key(f"{name} (first letters)", f"left({f}, 4)", i))
    return (Key(name, f, i),)


def rules_for(fields: Sequence[Field], keyed: int) -> Iterator[_Rule]:
    """Whole values, words, swapped names, then pairs of keys of two fields."""
    telling = sorted(fields, key=lambda field: (-field.telling, field.index))[:keyed]
    for field in telling:
        yield _Rule(field.name, (Key(field.name, field.sql, field.index),))
        if field.kind is FieldKind.TEXT:
            yield _Rule(f"{field.name} (a word)", keys_of(field)[:1])
            yield _Rule(f"{field.name} (two words)", (_two_words(field),))
        if field.kind is FieldKind.EMAIL:
            local = f"split_part({field.sql}, '@', 1)"
            yield _Rule(f"{field.name} (before the @)", (Key(field.name, local, field.index),))
    names = [field for field in telling if field.kind is FieldKind.NAME]
    for one, other in combinations(names, 2):
        both = f"least({one.sql}, {other.sql}) || '|' || greatest({one.sql}, {other.sql})"
        yield _Rule(f"{one.name} and {other.name}, in either order", (Key("", both, one.index),))
    for one, other in combinations(telling, 2):
        for first in keys_of(one):
            for second in keys_of(other):
                yield _Rule(f"{first.label} + {second.label}", (first, second))


def _words(text: str) -> str:
    return f"list_filter(string_split({text}, ' ')[:{WORDS_KEYED}], lambda w: length(w) >= {SHORTEST_WORD})"


def _two_words(field: Field) -> Key:
    words = f"list_sort({_words(field.sql)})"
    pairs = f"list_distinct(list_transform(range(1, len({words})), lambda i: {words}[i] || ' ' || {words}[i + 1]))"
    return Key(f"{field.name} (two words)", pairs, field.index, is_list=True)


def find_pairs(
    db: "duckdb.DuckDBPyConnection",
    fields: Sequence[Field],
    size: Size,
    report_progress: Callable[[float], None],
    keyed: int = KEYED_FIELDS,
) -> Proposed:
    """Fill `er_pairs` (a < b by `r`)."""
    rows, linking = size.rows, size.linking
    differ = "AND l.src <> r.src" if linking else ""
    if rows * (rows - 1) // 2 <= EVERY_PAIR:
        db.execute(
            "CREATE OR REPLACE TEMP TABLE er_pairs AS SELECT l.r AS a, r.r AS b FROM er_records l"
            f" JOIN er_records r ON l.r < r.r {differ} ORDER BY a, b"
        )
        [(count,)] = db.execute("SELECT count(*) FROM er_pairs").fetchall()
        return Proposed((BlockingRule("every pair", count, 0),), count)
    db.execute("CREATE OR REPLACE TEMP TABLE er_found (a INTEGER, b INTEGER, w FLOAT)")
    rules = list(rules_for(fields, keyed if size.rows <= MANY_ROWS else min(keyed, KEYED_OF_MANY)))
    column = _hash_keys(db, rules)
    share = min(RULE_PAIRS_A_ROW * rows, MOST_RULE_PAIRS)
    done: list[BlockingRule] = []
    for place, rule in enumerate(rules):
        done.append(_apply(db, rule, column, rows, share, linking=linking))
        report_progress((place + 1) / len(rules))
    db.execute("DROP TABLE er_hashes; DROP TABLE IF EXISTS er_keys; DROP TABLE IF EXISTS er_blocks")
    found = _keep_heaviest(db, min(max(PAIRS_A_ROW * rows, FEWEST_PAIRS), MOST_PAIRS))
    return Proposed(tuple(rule for rule in done if rule.pairs or rule.left_out), *found)


def _hash_keys(db: "duckdb.DuckDBPyConnection", rules: Sequence[_Rule]) -> dict[Key, str]:
    """`er_hashes`: every key of every rule once, as a small number or a list of them; the column of each key."""
    column = {key: f"k{i}" for i, key in enumerate(dict.fromkeys(key for rule in rules for key in rule.keys))}
    hashed = "".join(f", {_hashed(key)} AS {name}" for key, name in column.items())
    db.execute(f"CREATE OR REPLACE TEMP TABLE er_hashes AS SELECT r, src{hashed} FROM er_records")
    return column


def _hashed(key: Key) -> str:
    """NULL where there is no key."""
    if key.is_list:
        return f"list_transform({key.sql}, lambda x: (hash(x) % {HASHES})::UINTEGER)"
    return f"(CASE WHEN ({key.sql}) <> '' THEN hash({key.sql}) % {HASHES} END)::UINTEGER"


def _apply(
    db: "duckdb.DuckDBPyConnection", rule: _Rule, column: dict[Key, str], rows: int, share: int, *, linking: bool
) -> BlockingRule:
    names = [column[key] for key in rule.keys]
    parts = [f"unnest({name}) AS {name}" if key.is_list else name for key, name in zip(rule.keys, names, strict=True)]
    present = " AND ".join(f"{name} IS NOT NULL" for name in names)
    unique = "DISTINCT" if any(key.is_list for key in rule.keys) else ""
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE er_keys AS SELECT {unique} r, src, hash({', '.join(names)}) AS k"
        f" FROM (SELECT r, src, {', '.join(parts)} FROM er_hashes) WHERE {present}"
    )
    db.execute("CREATE OR REPLACE TEMP TABLE er_blocks AS SELECT k, count(*) AS n FROM er_keys GROUP BY k HAVING n > 1")
    cap, left_out = _largest_block(db, share)
    differ = "AND l.src <> r.src" if linking else ""
    db.execute(
        "CREATE OR REPLACE TEMP TABLE er_keys AS SELECT r, src, k, ln({rows} / n)::FLOAT AS w FROM er_keys"
        f" JOIN er_blocks USING (k) WHERE n <= {cap}".replace("{rows}", str(rows))
    )
    [(count,)] = db.execute(
        "INSERT INTO er_found SELECT l.r, r.r, l.w FROM er_keys l JOIN er_keys r ON l.k = r.k AND l.r < r.r"
        f" {differ.replace('AND', 'WHERE')}"
    ).fetchall()
    return BlockingRule(rule.label, count, left_out)


def _largest_block(db: "duckdb.DuckDBPyConnection", share: int) -> tuple[int, int]:
    """The size up to which all blocks fit into the share, and the pairs in those above it."""
    sizes = db.execute(
        "SELECT n, (count(*) * n * (n - 1) // 2)::BIGINT FROM er_blocks GROUP BY n ORDER BY n"
    ).fetchall()
    taken, cap, left_out = 0, 1, 0
    for n, pairs in sizes:
        if not left_out and taken + pairs <= share:
            taken, cap = taken + pairs, n
        else:
            left_out += pairs
    return cap, left_out


def _keep_heaviest(db: "duckdb.DuckDBPyConnection", budget: int) -> tuple[int, int]:
    """How many pairs are kept, and how many are not."""
    db.execute("CREATE OR REPLACE TEMP TABLE er_weighed AS SELECT a, b, sum(w)::FLOAT AS w FROM er_found GROUP BY a, b")
    db.execute("DROP TABLE er_found")
    [(count,)] = db.execute("SELECT count(*) FROM er_weighed").fetchall()
    heaviest = f"(SELECT a, b FROM er_weighed ORDER BY w DESC, a, b LIMIT {budget})"
    source = heaviest if count > budget else "er_weighed"
    db.execute(f"CREATE OR REPLACE TEMP TABLE er_pairs AS SELECT a, b FROM {source} ORDER BY a, b")
    db.execute("DROP TABLE er_weighed")
    return min(count, budget), max(0, count - budget)
