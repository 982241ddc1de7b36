"""Every kind of bad input over the whole product: a code, a sentence, the credits back, and the worker lives on.

How each file is judged in detail is tested where it is judged (tests/transformers/test_intake_*.py).
"""

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.acceptance.house import TABLE, House


def zip_bomb() -> bytes:
    """An XLSX whose sheet is 300 MB of zeros in a few hundred KB."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<workbook/>")
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            for _ in range(300):
                sheet.write(bytes(1 << 20))
    return packed.getvalue()


NESTED = json.dumps([{"id": i, "who": {"name": "Ada", "tags": ["a", "b"]}} for i in range(3)]).encode()


def wide(columns: int) -> bytes:
    return ",".join(f"c{i}" for i in range(columns)).encode() + b"\n" + b",".join([b"1"] * columns) + b"\n"


REFUSED: dict[str, tuple[str, bytes | Callable[[], bytes], str | None]] = {
    "an empty file": ("empty.csv", b"", "UNREADABLE_FILE"),
    "white space only": ("blank.csv", b" \n\n \n", "UNREADABLE_FILE"),
    "a header only": ("header.csv", b"name,age\n", "UNREADABLE_FILE"),
    "a renamed binary": ("picture.csv", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40, "UNSUPPORTED_FORMAT"),
    "a ZIP bomb": ("bomb.xlsx", zip_bomb, None),
    "one huge field": ("huge.csv", b'name,age\n"' + b"x" * (20 << 20) + b'",1\n', "UNREADABLE_FILE"),
    "10,000 columns": ("wide.csv", wide(10_000), "FILE_TOO_LARGE"),
    "broken JSON": ("broken.json", b'[{"a": 1}, {"a": ', "UNREADABLE_FILE"),
    "a workbook that is none": ("fake.xlsx", b"PK\x03\x04 not really", None),
}
READ = {
    "ragged rows": ("ragged.csv", b"name,age\nAda,36\nGrace\nMary,53,extra\nAlan,41\n", "ragged"),
    "mixed encodings": ("mixed.csv", "name,city\nZoë,Köln\n".encode() + "José,Málaga\n".encode("cp1252"), "encoding"),
    "a byte order mark": ("bom.csv", b"\xef\xbb\xbf" + TABLE, None),
    "NUL bytes": ("nul.csv", b"name,age\nAda,3\x006\nGrace,85\nMary,53\n" * 20, "nul"),
    "200 columns": ("wide.csv", wide(200), None),
    "nested JSON": ("nested.json", NESTED, None),
    "duplicate and empty column names": ("names.csv", b"a,a,,b\n1,2,3,4\n5,6,7,8\n", "column"),
    "capitals in the name": ("PEOPLE.CSV", TABLE, None),
}


def upload_and_process(house: House, name: str, body: bytes) -> dict[str, Any]:
    """The task as it ended, or the problem that the submit answered."""
    task_id = house.post("/tasks", {"tool_id": "profile-my-data", "agents": ["unified-profiler"]})["task_id"]
    announced = {"filename": name, "content_type": "application/octet-stream", "size": len(body)}
    announced_so = house.request("POST", f"/tasks/{task_id}/upload-urls", {"files": {"primary": announced}})
    if announced_so.is_error:
        return {"task_id": task_id, "status": "REFUSED", "error": announced_so.json()}
    link = announced_so.json()["uploads"]["primary"]
    httpx.post(link["url"], data=link["fields"], files={"file": (name, body)}, timeout=60).raise_for_status()
    answer = house.request("POST", f"/tasks/{task_id}/process", {})
    if answer.is_error:
        return {"task_id": task_id, "status": "REFUSED", "error": answer.json()}
    return house.ended(task_id)


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_read_costs_nothing_and_says_why(what: str, solo_house: House) -> None:
    name, content, code = REFUSED[what]
    body = content if isinstance(content, bytes) else content()
    before, worker = solo_house.get("/credits")["balance"], solo_house.worker.pid
    task = upload_and_process(solo_house, name, body)
    assert task["status"] in {"FAILED", "REFUSED"}, task
    error = task["error"]
    assert error["error_code"] in ({code} if code else {"UNREADABLE_FILE", "UNSUPPORTED_FORMAT", "FILE_TOO_LARGE"})
    sentence = error.get("message") or error["detail"]
    assert sentence.endswith(".")
    assert not any(
        word in sentence.lower() for word in ("traceback", "errno", "scratch", "pyarrow", "calamine", "duckdb")
    )
    assert error["next_action"]
    assert solo_house.get("/credits")["balance"] == before
    assert solo_house.worker.pid == worker


@pytest.mark.parametrize("what", READ)
def test_what_can_be_read_is_read_and_every_repair_is_told(what: str, solo_house: House) -> None:
    name, body, repair = READ[what]
    task = upload_and_process(solo_house, name, body)
    assert (task["status"], task["outcome"]) == ("COMPLETED", "success"), task["error"]
    report = solo_house.get(f"/tasks/{task['task_id']}/report")
    told = [issue["issue_type"] for issue in report["report"]["issues"] if issue["agent_id"] == "intake"]
    assert any(repair in kind for kind in told) if repair else not told, told


def test_rows_that_were_set_aside_can_be_downloaded_with_the_reason(solo_house: House) -> None:
    name, body, _ = READ["ragged rows"]
    task = upload_and_process(solo_house, name, body)
    outputs = solo_house.get(f"/tasks/{task['task_id']}/outputs")["outputs"]
    (rejected,) = [output["url"] for output in outputs if output["name"] == "rejected_rows.csv"]
    header, row, *more = httpx.get(rejected).text.splitlines()
    assert header == "role,source_row,reason,raw"
    assert row.startswith("primary,3,")
    assert "extra" in row
    assert not more


def test_a_wrong_role_and_missing_parameters_are_refused_at_once(solo_house: House) -> None:
    task_id = solo_house.post("/tasks", {"tool_id": "probe"})["task_id"]
    file = {"filename": "a.csv", "content_type": "text/csv", "size": 9}
    wrong_role = solo_house.request("POST", f"/tasks/{task_id}/upload-urls", {"files": {"schema": file}})
    assert wrong_role.status_code == 422
    assert "schema" in wrong_role.text
    nothing = solo_house.request("POST", f"/tasks/{task_id}/process", {})
    assert (nothing.status_code, nothing.json()["error_code"]) == (422, "NO_INPUT_FILES")
    bad = solo_house.request("POST", "/tasks", {"tool_id": "probe", "parameters": {"first": {"seconds": "soon"}}})
    assert (bad.status_code, bad.json()["error_code"]) == (422, "BAD_PARAMETERS")
    assert "seconds" in bad.json()["detail"]
    no_tool = solo_house.request("POST", "/tasks", {})
    assert no_tool.status_code == 422
