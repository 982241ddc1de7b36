import json
import subprocess
import sys

import pytest

ALONE = """
import gc, json, sys
import {module}
print(json.dumps([sum(one["collections"] for one in gc.get_stats()), gc.isenabled(), gc.get_freeze_count()]))
"""


@pytest.mark.parametrize("module", ["celery_queue.celery_app", "backend.main"])
def test_a_process_of_the_product_starts_without_collecting(module: str) -> None:
    """Some 400 collections else; a few are the interpreter's, before our first line."""
    collections, enabled, frozen = _said(ALONE.format(module=module))
    assert collections < 20
    assert enabled
    assert frozen > 10_000


def test_the_agents_process_is_warm_without_collecting() -> None:
    collections, enabled, _frozen = _said(ALONE.format(module="transformers.agent_child as child\nchild.warm_up()"))
    assert collections < 25  # 124 else
    assert not enabled, "main() lets it begin again"


def test_what_a_worker_has_before_a_fork_stays_out_of_its_childrens_collections() -> None:
    more = "from celery.signals import worker_before_create_process as signal\nkept = [[] for _ in range(30_000)]\n"
    before, after = _said(
        f"import gc, json\nimport celery_queue.celery_app\n{more}before = gc.get_freeze_count()\n"
        "signal.send(None)\nprint(json.dumps([before, gc.get_freeze_count()]))"
    )
    assert after >= before + 30_000


def _said(program: str) -> list[int]:
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    found: list[int] = json.loads(run.stdout.splitlines()[-1])
    return found
