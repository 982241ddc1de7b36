"""relier's tasks: steps within one task, whose state so far is put into Redis after each (`set_partial`).

Durable as Redis' append-only file is: synced every second. No result of a single step is kept, only the newest state.
"""

import time

from relier import rl_task, task_context

from bench.peers.counting import done


@rl_task(idempotent=False, hard_timeout=60)
async def walk(steps: int, began_at: float) -> dict[str, float]:
    """`began_at` only makes the call unlike any other."""
    began = time.time()
    for number in range(steps):
        await task_context.set_partial({"step": number, "of": began_at})
    return {"seconds": time.time() - began}


@rl_task(idempotent=False, hard_timeout=60)
async def nothing(_number: int) -> None:
    done()
