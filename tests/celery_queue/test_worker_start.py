import pytest

from celery_queue.worker_start import WrongPool, pool_name, refuse_wrong_pool


@pytest.mark.parametrize("pool", ["prefork", "solo", "threads"])
def test_the_three_pools_are_taken(pool: str) -> None:
    refuse_wrong_pool(pool, system="linux")


@pytest.mark.parametrize("pool", ["gevent", "eventlet"])
def test_green_threads_are_refused_with_what_to_type(pool: str) -> None:
    with pytest.raises(WrongPool, match="--pool=prefork, solo or threads"):
        refuse_wrong_pool(pool, system="linux")


def test_prefork_is_refused_on_windows_with_what_to_type() -> None:
    with pytest.raises(WrongPool, match="--pool=solo"):
        refuse_wrong_pool("prefork", system="win32")
    refuse_wrong_pool("solo", system="win32")


@pytest.mark.parametrize("pool", ["prefork", "solo", "threads"])
def test_a_pool_is_known_by_its_class_and_by_its_alias(pool: str) -> None:
    from celery.concurrency import get_implementation

    assert pool_name(get_implementation(pool)) == pool
    assert pool_name(pool) == pool


def test_green_pools_are_known_by_the_names_celery_gives_them() -> None:
    assert pool_name("celery.concurrency.gevent:TaskPool") == "gevent"
    assert pool_name("eventlet") == "eventlet"
