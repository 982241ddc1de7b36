"""The chained tools over HTTP: a customer's file comes back clean or mastered, with all that says what was done."""

import csv
import hashlib
import io
from typing import Any

import httpx
import pytest

from tests.acceptance.house import House

DIRTY = """id;name;city;joined;amount
1;Ann Lee; Paris ;2024-01-31;10,50
2;Bob Ray;Rome;2024-02-01;N/A
2;Bob Ray;Rome;2024-02-01;N/A
3;Cléo Fay;Lyon;31.03.2024;7,25
""".replace("\n", "\r\n").encode("cp1252")
SOURCES = b"""crm_id,email,name,city,source,updated
1,ann@example.com,Ann Lee,Paris,crm,2024-01-31
2,ann@example.com,Ann M. Lee,Paris,shop,2024-03-01
3,bob@example.com,Bob Ray,Rome,crm,2024-02-01
4,bob@example.com,Bob Ray,Roma,shop,2023-02-01
5,cleo@example.com,Cleo Fay,Lyon,crm,2024-03-05
"""
CONTRACT = b"columns:\n  - {name: email, type: text, required: true}\n  - {name: name, type: text}\n"


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
    assert cleaned[2]["name"] == "Cléo Fay"
    assert {"report_json", "report_html", "report_xlsx", "change_log", "cleaning_manifest"} <= set(files)
    charged = {agent: n for (kind, agent), n in solo_house.entries(task["task_id"]).items() if kind == "CAPTURE"}
    assert sum(charged.values()) == 265
    assert list(charged) != []
    report = solo_house.get(f"/tasks/{task['task_id']}/report")["report"]
    checks = report["agent_results"]["cleanse-writeback"]["summary_metrics"]
    assert checks["checks"] == checks["checks_passed"] > 0
    assert {"data", "change_log"} <= {download["kind"] for download in report["downloads"]}


def test_records_of_one_person_become_one_golden_record_with_its_lineage(solo_house: House) -> None:
    keys = {"match_key_columns": ["email"], "source_column": "source", "timestamp_column": "updated"}
    parameters = {"survivorship-resolver": keys}
    task = solo_house.ended(
        solo_house.submit("master-my-data", body=SOURCES, name="sources.csv", parameters=parameters)
    )
    assert (task["status"], task["outcome"]) == ("COMPLETED", "success"), task
    files = files_of(solo_house, task)
    golden = rows_in(files["data"], "utf-8-sig", ",")
    assert sorted(row["email"] for row in golden) == ["ann@example.com", "bob@example.com", "cleo@example.com"]
    crossed = rows_in(files["cross_reference"], "utf-8-sig", ",")
    assert len(crossed) == 5, "every source row points to its golden record"
    assert {"lineage", "report_html"} <= set(files)


@pytest.mark.long  # of a killed worker test_a_task_survives.py tells each time, of a chain that goes on test_chain.py
def test_a_killed_workers_chain_goes_on_where_it_stood(solo_house: House) -> None:
    house = solo_house
    asked = house.submit("clean-my-data", body=DIRTY, name="people.csv")
    house.at_agent(asked, "field-standardization")
    house.worker.kill()
    house.start_worker()
    task = house.ended(asked)
    assert (task["status"], task["outcome"]) == ("COMPLETED", "success"), task
    assert rows_in(files_of(house, task)["data"], "cp1252", ";")[0]["city"] == "Paris"
    attempts = {step["agent_id"]: step["attempt"] for step in task["steps"]}
    assert (attempts["type-fixer"], attempts["cleanse-writeback"]) == (1, 2), "the finished agents are not run again"
    charged = [n for (kind, _), n in house.entries(task["task_id"]).items() if kind == "CAPTURE"]
    assert sum(charged) == 265
