"""Ring tasks by hand: `python -m celery_queue.ring_by_hand`, with a line `task_id user_id` for each ring on stdin.

For an operator who wants to see that a ring too many does no harm, and for `agensium verify chaos`, which proves it.
"""

import sys
import uuid

from celery_queue.broker_app import app
from celery_queue.celery_config import TASK_NAME


def main() -> None:
    for line in sys.stdin:
        task_id, user_id = line.split()
        app.send_task(TASK_NAME, (task_id, int(user_id)), task_id=str(uuid.uuid4()), ignore_result=True)


if __name__ == "__main__":
    main()
