from hall_client import Hall, problem_of

from backend.settings import get_settings
from transformers.catalog import tools


def test_every_tool_of_the_catalogue_is_offered_to_everybody(lobby: Hall) -> None:
    offered = lobby.send("GET", "/tools").json()["tools"]

    assert [tool["tool_id"] for tool in offered] == list(tools())


def test_a_tool_tells_all_that_a_form_needs(lobby: Hall) -> None:
    tool = lobby.send("GET", "/tools/trial").json()

    assert tool["inputs"] == [
        {"role": "primary", "required": True, "formats": ["csv", "parquet"], "max_bytes": 1000, "many": False},
        {"role": "baseline", "required": False, "formats": ["csv"], "max_bytes": 1000, "many": False},
        {"role": "parameters", "required": False, "formats": ["json"], "max_bytes": 1_048_576, "many": False},
    ]
    assert [(agent["agent_id"], agent["price"], agent["required"]) for agent in tool["agents"]] == [
        ("counter", 30, True), ("comparer", 40, False), ("rater", 25, True),
    ]  # fmt: skip
    assert tool["agents"][1]["roles"] == ["primary", "baseline"]
    assert tool["agents"][0]["parameters"]["properties"]["top"] == {
        "default": 3, "description": "How many to show.", "maximum": 10, "minimum": 1, "title": "Top",
        "type": "integer",
    }  # fmt: skip


def test_a_tool_is_listed_as_it_is_shown_alone(lobby: Hall) -> None:
    for tool in lobby.send("GET", "/tools").json()["tools"]:
        assert lobby.send("GET", f"/tools/{tool['tool_id']}").json() == tool


def test_a_tool_that_is_not_there_is_404_with_those_that_are(lobby: Hall) -> None:
    problem = problem_of(lobby.send("GET", "/tools/alchemy"), 404)

    assert problem["error_code"] == "UNKNOWN_TOOL"
    assert "trial" in problem["context"]["tools"]


def test_a_tool_that_asks_no_model_is_available_without_any_key(lobby: Hall) -> None:
    tool = lobby.send("GET", "/tools/trial").json()

    assert (tool["available"], tool["unavailable_reason"], tool["models"]) == (True, None, [])


def test_without_a_model_the_tools_that_ask_one_are_listed_with_the_reason(lobby: Hall) -> None:
    tool = lobby.send("GET", "/tools/generate-text").json()

    assert tool["available"] is False
    assert tool["unavailable_reason"] == "No language model is set up: set MODELS and the key of its provider."


def test_a_model_that_is_set_up_makes_them_available(lobby: Hall, models_set_up: None) -> None:
    tool = lobby.send("GET", "/tools/generate-text").json()

    assert (tool["available"], tool["unavailable_reason"]) == (True, None)
    assert tool["models"] == ["compatible:small", "compatible:large"]


def test_an_ingest_needs_no_language_model(lobby: Hall) -> None:
    tool = lobby.send("GET", "/tools/ingest-documents").json()

    assert (tool["available"], tool["models"]) == (True, [get_settings().embedding_model])


def test_a_price_by_use_is_shown_as_its_tariff(lobby: Hall) -> None:
    tool = lobby.send("GET", "/tools/batch-inference").json()

    agents = {agent["agent_id"]: (agent["tariff"], agent["in_children"]) for agent in tool["agents"]}
    assert agents["generate"] == ({"per_call": 0, "per_thousand_tokens": 1}, True)
    assert agents["collect"] == (None, False)
    assert tool["splits"] is True


def test_a_role_for_several_files_says_so(lobby: Hall) -> None:
    inputs = lobby.send("GET", "/tools/ingest-documents").json()["inputs"]

    assert {role["role"]: role["many"] for role in inputs} == {"documents": True, "parameters": False}
