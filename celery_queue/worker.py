"""A worker without the `celery` command: `python -m celery_queue.worker --pool=solo`, or `agensium worker`.

The same worker as `celery -A celery_queue.celery_app worker` starts, with the options that operators use. That command
loads every plug-in it finds first, Flower with its web server among them: 12 MB and 0.2 s in each worker.
"""

import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
ANEW = ("-m", "celery_queue.worker")  # how Celery starts it again on SIGHUP: a path would put this room on sys.path


def run(arguments: Sequence[str]) -> int:
    """Work until a signal ends it; the exit code. Raises SystemExit where an option is wrong."""
    options = _options(arguments)
    if options.queues:  # before a setting is read: the conductor and the consumer have to mean the same ones
        os.environ["CELERY_QUEUES"] = options.queues
    from celery_queue.celery_app import app  # first: it has the garbage collector wait

    # isort: split
    from celery.utils.nodenames import default_nodename, host_format

    from backend.settings import get_settings
    from celery_queue.worker_start import supervised_pool

    sys.argv = [*ANEW, *arguments]
    worker = app.Worker(
        hostname=host_format(default_nodename(options.hostname)),
        pool_cls=supervised_pool(options.pool),
        concurrency=options.concurrency,
        loglevel=options.loglevel,
        quiet=get_settings().log_json,  # no banner among the lines
        without_mingle=True,  # a second in which the other workers are asked what nobody wants to know
        without_gossip=True,  # and this hears each of their words
    )
    worker.start()
    return int(worker.exitcode or 0)


def _options(arguments: Sequence[str]) -> Namespace:
    parser = ArgumentParser("agensium worker", description="Run customers' tasks until a signal ends it.")
    pool = "solo" if sys.platform == "win32" else "prefork"
    parser.add_argument("-P", "--pool", default=pool, help="prefork, solo or threads; else %(default)s.")
    parser.add_argument("-c", "--concurrency", type=int, help="Slots; else CELERY_WORKER_CONCURRENCY.")
    parser.add_argument("-Q", "--queues", help="The queues to take from, with commas; else CELERY_QUEUES.")
    parser.add_argument("-n", "--hostname", help="The worker's name; %%h stands for the machine's.")
    parser.add_argument("-l", "--loglevel", type=str.upper, choices=LEVELS, default="WARNING", help="Celery's own.")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
