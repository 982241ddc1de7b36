"""The Python client against a real house; its manners are tested in tests/backend/client/."""

import asyncio
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.client import AgensiumClient, AsyncAgensiumClient, Source
from backend.errors import UnknownTool
from tests.acceptance.house import PATIENCE, TABLE, House

PASSWORD = "a long and private sentence"
PEOPLE = Source("people.csv", content=TABLE)


@pytest.fixture
def client(solo_house: House) -> Iterator[AgensiumClient]:
    with AgensiumClient(solo_house.api_url) as found:
        found.register(f"{uuid.uuid4().hex}@example.com", PASSWORD)
        yield found


def test_a_refusal_says_what_happened_and_what_to_do(client: AgensiumClient) -> None:
    with pytest.raises(UnknownTool, match="There is no tool called 'mend-my-data'") as caught:
        client.submit("mend-my-data", PEOPLE)
    assert "GET /tools" in caught.value.next_action


def test_a_task_is_followed_to_its_end_and_its_outputs_arrive_whole(client: AgensiumClient, tmp_path: Path) -> None:
    task = client.submit("profile-my-data", PEOPLE)
    seen = list(client.follow(task.task_id))
    assert (seen[0].kind, seen[-1].kind) == ("snapshot", "completed")
    assert [event.progress for event in seen] == sorted(event.progress for event in seen)
    numbers = [event.seq for event in seen if event.seq is not None]
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    assert list(client.follow(task.task_id, last_event_id=str(numbers[-1]))) == []
    assert client.report(task.task_id)["status"] == "success"
    arrived = client.download(task.task_id, tmp_path / "outputs")
    assert {one.path.stat().st_size for one in arrived} == {one.size for one in arrived}
    assert {one.path.name for one in arrived} >= {"report.json", "report.html", "report.xlsx"}


def test_an_asynchronous_program_does_the_same_without_the_file_store(solo_house: House, tmp_path: Path) -> None:
    async def journey() -> tuple[list[str], list[str]]:
        async with AsyncAgensiumClient(solo_house.api_url) as client:
            await client.register(f"{uuid.uuid4().hex}@example.com", PASSWORD)
            key = await client.create_api_key("a program")
            client.use_secret(key.key or "")
            task = await client.submit("profile-my-data", PEOPLE, through_api=True)
            kinds = [event.kind async for event in client.follow(task.task_id)]
            assert (await client.wait(task.task_id, PATIENCE)).succeeded
            files = await client.download(task.task_id, tmp_path, names=["report.json"], through_api=True)
            await client.delete(task.task_id)
            return kinds, [one.path.name for one in files]

    kinds, names = asyncio.run(journey())
    assert (kinds[-1], names) == ("completed", ["report.json"])
