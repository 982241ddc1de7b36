"""Flower beside the broker, as `celery -A celery_queue.broker_app flower` starts it. It knows no task of ours."""

from celery_queue.broker_app import app


def run(address: str, port: int) -> int:
    """Serve until a signal ends it; the exit code. FLOWER_BASIC_AUTH and the rest is Flower's own to read."""
    try:
        app.start(["flower", f"--address={address}", f"--port={port}"])
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0
