"""Splink with DuckDB: `python -m bench.peers.splink_tables FILE RESULT`. Clusters of rows, as its own tutorial does it.

Somebody who knows the columns has said how each is compared, which rules block, and by which rules the model is
trained; the product is told none of it. It finds who is one person, no golden record and no lineage. Two threads.
"""

import sys

import duckdb
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

THRESHOLD = 0.9
SEED = 1
RULES = (("email",), ("phone",), ("last_name", "birth_date"), ("first_name", "last_name"), ("birth_date", "postcode"))
TRAINED_BY = (("first_name", "last_name"), ("birth_date",), ("postcode",))


def main(path: str, result: str) -> None:
    db = duckdb.connect(config={"threads": 2})
    date = "coalesce(try_strptime(birth_date, '%Y-%m-%d'), try_strptime(birth_date, '%d.%m.%Y'))"
    lowered = ", ".join(f"lower({name}) AS {name}" for name in ("first_name", "last_name", "email", "street", "city"))
    db.execute(
        f"CREATE TABLE people AS SELECT row_number() OVER () AS unique_id, {lowered}, phone, postcode,"
        f" strftime({date}, '%Y-%m-%d') AS birth_date FROM read_csv(?, all_varchar = true, parallel = false)",
        [path],
    )
    api = DuckDBAPI(connection=db)
    linker = Linker(api.register("people"), _settings(), log_level="ERROR")
    training = linker.training
    training.estimate_probability_two_random_records_match([block_on("email")], recall=0.6)
    training.estimate_u_using_random_sampling(max_pairs=1e6, seed=SEED)
    for columns in TRAINED_BY:
        training.estimate_parameters_using_expectation_maximisation(block_on(*columns))
    pairs = linker.inference.predict(threshold_match_probability=THRESHOLD)
    clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(pairs, THRESHOLD)
    db.execute(
        "COPY (SELECT unique_id AS source_row, cluster_id AS cluster"
        f" FROM {clusters.physical_name}) TO '{result}' (FORMAT parquet)"
    )


def _settings() -> SettingsCreator:
    return SettingsCreator(
        link_type="dedupe_only",
        comparisons=[
            cl.NameComparison("first_name"),
            cl.NameComparison("last_name"),
            cl.DateOfBirthComparison("birth_date", input_is_string=True),
            cl.EmailComparison("email"),
            cl.LevenshteinAtThresholds("phone", [2]),
            cl.ExactMatch("postcode"),
            cl.JaroWinklerAtThresholds("street", [0.9]),
        ],
        blocking_rules_to_generate_predictions=[block_on(*columns) for columns in RULES],
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
