"""profile-my-data: what is in a table, what is wrong with it, and whether it is fit for use.

The agents are independent of one another: each is optional, and at least one must deliver.
"""

from transformers.agents import (
    drift_detector,
    governance_checker,
    readiness_rater,
    score_risk,
    test_coverage_agent,
    unified_profiler,
)
from transformers.routing import transformer
from transformers.tool import MEBIBYTE, PRIMARY, TABULAR, InputRole, Step, Tool

PROFILE_MY_DATA = Tool(
    id="profile-my-data",
    name="Profile my data",
    description="Understand a table before you use it: content, quality, risk and readiness.",
    roles=(
        InputRole(PRIMARY, TABULAR, max_bytes=500 * MEBIBYTE, required=True),
        InputRole(drift_detector.BASELINE, TABULAR, max_bytes=500 * MEBIBYTE),
    ),
    steps=(
        Step(unified_profiler.AGENT, price=30, required=False),
        Step(drift_detector.AGENT, price=40, required=False),
        Step(score_risk.AGENT, price=35, required=False),
        Step(test_coverage_agent.AGENT, price=30, required=False),
        Step(readiness_rater.AGENT, price=25, required=False),
        Step(governance_checker.AGENT, price=45, required=False),
    ),
)

run_profile_my_data_analysis = transformer(PROFILE_MY_DATA)
