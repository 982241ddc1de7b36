from hall_client import Hall, problem_of

from transformers.catalog import tools


def test_every_tool_of_the_catalogue_is_offered_to_everybody(lobby: Hall) -> None:
    offered = lobby.send("GET", "/tools").json()["tools"]

    assert [tool["tool_id"] for tool in offered] == list(tools())


def test_a_tool_tells_all_that_a_form_needs(lobby: Hall) -> None:
    tool = lobby.send("GET", "/tools/trial").json()

    assert tool["inputs"] == [
        {"role": "primary", "required": True, "formats": ["csv", "parquet"], "max_bytes": 1000},
        {"role": "baseline", "required": False, "formats": ["csv"], "max_bytes": 1000},
        {"role": "parameters", "required": False, "formats": ["json"], "max_bytes": 1_048_576},
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
