"""clean-my-data: a table made fit for use, with a log of every change and the way back.

A chain: the table that one agent leaves is the next one's. Every step chosen has to deliver.
"""

from transformers.agents import (
    cleanse_previewer,
    cleanse_writeback,
    duplicate_resolver,
    field_standardization,
    null_handler,
    outlier_remover,
    quarantine_agent,
    type_fixer,
)
from transformers.routing import transformer
from transformers.tool import MEBIBYTE, PRIMARY, TABULAR, InputRole, Step, Tool

CLEAN_MY_DATA = Tool(
    id="clean-my-data",
    name="Clean my data",
    description="Repair a table, set aside what cannot be repaired, and get back the file with a log of every change.",
    roles=(InputRole(PRIMARY, TABULAR, max_bytes=500 * MEBIBYTE, required=True),),
    steps=(
        Step(cleanse_previewer.AGENT, price=20),
        Step(quarantine_agent.AGENT, price=35),
        Step(type_fixer.AGENT, price=25),
        Step(field_standardization.AGENT, price=40),
        Step(duplicate_resolver.AGENT, price=50),
        Step(null_handler.AGENT, price=30),
        Step(outlier_remover.AGENT, price=35),
        Step(cleanse_writeback.AGENT, price=30),
    ),
    chained=True,
)

run_clean_my_data_analysis = transformer(CLEAN_MY_DATA)
