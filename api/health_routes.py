"""For load balancers and operators: alive, ready, numbers. None of it asks who is asking."""

from fastapi import APIRouter, Response

from api import readiness
from api.dependencies import StorageDep
from api.health_schemas import Alive, Readiness
from api.metrics import told_now
from backend.metrics.exposition import CONTENT_TYPE

router = APIRouter(tags=["health"])
NOT_READY = 503


@router.get("/healthz", operation_id="get_health", summary="The process answers")
async def healthz() -> Alive:
    """Asks nobody else and needs no thread: restart the process only when this fails."""
    return Alive()


@router.get(
    "/readyz",
    operation_id="get_readiness",
    summary="Everything a task needs is there",
    responses={NOT_READY: {"model": Readiness, "description": "Something is missing; each is named."}},
)
def readyz(storage: StorageDep, response: Response) -> Readiness:
    """A submit is taken with the broker or the workers down; it waits for them."""
    checks = {
        "database": readiness.database(),
        "broker": readiness.broker(),
        "storage": readiness.storage(storage),
        "worker": readiness.a_worker(),
    }
    ready = all(check.ok for check in checks.values())
    response.status_code = 200 if ready else NOT_READY
    return Readiness(status="ready" if ready else "not ready", **checks)


@router.get(
    "/metrics",
    operation_id="get_metrics",
    summary="Numbers for Prometheus",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"example": 'agensium_tasks{state="queued"} 3.0'}}}},
)
def metrics() -> Response:
    """Also with the database away. No customer's data; all the same a proxy should not pass it on to the world."""
    return Response(told_now(), media_type=CONTENT_TYPE)
