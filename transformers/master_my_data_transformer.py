"""master-my-data: one golden record for each entity, cell by cell from its source rows, and what people must decide.

A chain: the table that one agent leaves is the next one's. Every step chosen has to deliver.
"""

from transformers.agents import (
    contract_enforcer,
    golden_record_builder,
    key_identifier,
    lineage_tracer,
    master_writeback_agent,
    semantic_mapper,
    stewardship_flagger,
    survivorship_resolver,
)
from transformers.routing import transformer
from transformers.tool import MEBIBYTE, PRIMARY, TABULAR, InputRole, Step, Tool

MASTER_MY_DATA = Tool(
    id="master-my-data",
    name="Master my data",
    description="Golden records from rows that speak of the same entities: contract, mapping, survivorship, lineage.",
    roles=(
        InputRole(PRIMARY, TABULAR, max_bytes=1000 * MEBIBYTE, required=True),
        InputRole("schema", ("json", "yaml", "yml"), max_bytes=10 * MEBIBYTE, is_table=False),
        InputRole("cross_reference", ("csv", "tsv", "parquet"), max_bytes=500 * MEBIBYTE),
    ),
    steps=(
        Step(key_identifier.AGENT, price=45),
        Step(contract_enforcer.AGENT, price=75),
        Step(semantic_mapper.AGENT, price=50),
        Step(survivorship_resolver.AGENT, price=100),
        Step(golden_record_builder.AGENT, price=150),
        Step(stewardship_flagger.AGENT, price=40),
        Step(lineage_tracer.AGENT, price=55),
        Step(master_writeback_agent.AGENT, price=60),
    ),
    chained=True,
)

run_master_my_data_analysis = transformer(MASTER_MY_DATA)
