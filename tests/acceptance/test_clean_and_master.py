"""The chained tools over HTTP: what a customer uploads comes back clean or mastered, with all that says what was done."""

import csv
import hashlib
import io
from typing import Any

import httpx

from tests.acceptance.house import House

DIRTY = "\r\n".join(
    [
        "id;name;city;joined;amount",
        "1;Ann Lee; Paris ;2024-01-31;10,50",
        "2;Bob Ray;Rome;2024-02-01;N/A",
        "2;Bob Ray;Rome;2024-02-01;N/A",
        "3;Cl\u00e9o Fay;Lyon;31.03.2024;7,25",
        "",
    ]
).encode("cp1252")


def files_of(house: House, task: dict[str, Any]) -> dict[str, bytes]:
    """By kind; each is what the manifest promised."""
    found = {}
    for output in house.get(f"/tasks/{task['task_id']}/outputs")["outputs"]:
        body = httpx.get(output["url"]).raise_for_status().content
        assert (len(body), hashlib.sha256(body).hexdigest()) == (output["size"], output["sha256"]), output["name"]
        found[output["kind"]] = body
    return found


def rows_in(body: bytes, encoding: str, delimiter: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body.decode(encoding)), delimiter=delimiter))


def test_a_dirty_file_comes_back_clean_in_its_own_dialect_and_is_billed_agent_by_agent(solo_house: House) -> None:
    parameters = {"duplicate-resolver": {"merge_strategy": "remove_duplicates"}}
    asked = solo_house.submit("clean-my-data", body=DIRTY, name="people.csv", parameters=parameters)
    task = solo_house.ended(asked)
    assert (task["status"], task["outcome"]) == ("COMPLETED", "success"), task
    files = files_of(solo_house, task)
    cleaned = rows_in(files["data"], "cp1252", ";")
    assert [row["id"] for row in cleaned] == ["1", "2", "3"]
    assert cleaned[0]["city"] == "Paris"
    assert cleaned[2]["name"] == "Cl\u00e9o Fay"
    assert {"report_json", "report_html", "report_xlsx", "change_log", "cleaning_manifest"} <= set(files)
    charged = {agent: n for (kind, agent), n in solo_house.entries(task["task_id"]).items() if kind == "CAPTURE"}
    assert sum(charged.values()) == 265
    assert list(charged) != []
    report = solo_house.get(f"/tasks/{task['task_id']}/report")["report"]
    checks = report["agent_results"]["cleanse-writeback"]["summary_metrics"]
    assert checks["checks"] == checks["checks_passed"] > 0
    assert {"data", "change_log"} <= {download["kind"] for download in report["downloads"]}
