"""A customer's own server is told what happens, by a real worker's courier."""

from standardwebhooks import Webhook

from tests.acceptance.house import House
from tests.waiting import eventually
from tests.webhook_receiver import receiving

ALL_OF_IT = 40.0  # seconds: the courier starts, on a loaded machine too


def test_a_tasks_whole_life_arrives_signed_and_in_order(solo_house: House) -> None:
    with receiving() as receiver:
        made = solo_house.post("/webhooks", {"url": receiver.url()})
        task_id = solo_house.submit()
        solo_house.ended(task_id)

        def told() -> list[dict[str, object]]:
            verify = Webhook(made["secret"]).verify
            bodies = [verify(one.body, one.headers) for one in list(receiver.received)]
            return [body for body in bodies if body["data"]["task_id"] == task_id]

        eventually(lambda: any(body["type"] == "task.completed" for body in told()), ALL_OF_IT)
        kinds = [str(body["type"]) for body in told()]
        assert (kinds[0], kinds[-1]) == ("task.created", "task.completed")
        assert kinds.count("task.step_delivered") >= 1
        numbers = [body["data"]["seq"] for body in told()]
        assert numbers == list(range(1, len(numbers) + 1))
    log = solo_house.get(f"/webhooks/{made['id']}/deliveries")["deliveries"]
    assert {one["state"] for one in log if one["task_id"] == task_id} == {"delivered"}
