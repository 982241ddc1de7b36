import ssl
from pathlib import Path

import pytest
from celery.utils.imports import symbol_by_name

from backend.settings import Settings
from celery_queue.celery_config import celery_config
from celery_queue.steady_consumer import SteadyConsumer


def settings(**values: object) -> Settings:
    return Settings(_env_file=None, **values)


def test_a_message_is_acknowledged_late_and_one_at_a_time() -> None:
    config = celery_config(settings(redis_url="redis://h/0"))
    assert config["task_acks_late"] is True
    assert config["task_reject_on_worker_lost"] is True
    assert config["worker_prefetch_multiplier"] == 1
    assert config["worker_cancel_long_running_tasks_on_connection_loss"] is False


def test_nothing_but_json_is_accepted() -> None:
    config = celery_config(settings(redis_url="redis://h/0"))
    assert config["accept_content"] == ["json"]
    assert config["task_serializer"] == config["result_serializer"] == "json"


def test_the_visibility_timeout_is_the_same_wherever_celery_reads_it() -> None:
    config = celery_config(settings(redis_url="redis://h/0", celery_visibility_timeout=777))
    assert config["visibility_timeout"] == 777
    assert config["broker_transport_options"]["visibility_timeout"] == 777
    assert config["result_backend_transport_options"]["visibility_timeout"] == 777


@pytest.mark.parametrize(
    "url", ["rediss://h/0", "rediss://h/0?ssl_cert_reqs=none", "rediss://h/0?ssl_cert_reqs=CERT_NONE&x=1"]
)
def test_certificates_of_rediss_are_always_verified(url: str) -> None:
    config = celery_config(settings(redis_url=url))
    assert "ssl_cert_reqs=required" in config["broker_url"]
    assert "none" not in config["broker_url"].lower()
    assert config["result_backend"] == config["broker_url"]
    assert config["broker_use_ssl"] == config["redis_backend_use_ssl"] == {"ssl_cert_reqs": ssl.CERT_REQUIRED}


def test_a_private_authority_of_redis_is_named_in_its_address() -> None:
    config = celery_config(settings(redis_url="rediss://h/0?ssl_ca_certs=%2Fetc%2Four%20own.pem"))
    said = {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_ca_certs": "/etc/our own.pem"}
    assert config["broker_use_ssl"] == config["redis_backend_use_ssl"] == said


def test_without_tls_celery_is_told_of_none() -> None:
    config = celery_config(settings(redis_url="redis://:secret@h:6379/2"))
    assert (config["broker_url"], config["broker_use_ssl"]) == ("redis://:secret@h:6379/2", None)


def test_without_redis_the_broker_is_a_directory(tmp_path: Path) -> None:
    config = celery_config(settings(redis_url="", broker_dir=tmp_path / "broker"))
    assert config["broker_url"] == "filesystem://"
    assert (tmp_path / "broker" / "messages").is_dir()
    assert config["broker_transport_options"]["data_folder_in"] == config["broker_transport_options"]["data_folder_out"]
    assert config["result_backend"].startswith("file://")


def test_each_queue_has_an_exchange_and_a_key_of_its_own() -> None:
    queues = celery_config(settings(redis_url="redis://h/0", celery_queues="default, high_memory"))["task_queues"]
    assert {queue.name for queue in queues} == {"default", "high_memory"}
    assert all(queue.exchange.name == queue.routing_key == queue.name for queue in queues)


@pytest.mark.parametrize("nothing", ["", " , "])
def test_a_worker_that_was_told_nothing_takes_ordinary_tasks(nothing: str) -> None:
    config = celery_config(settings(redis_url="redis://h/0", celery_queues=nothing))
    assert [queue.name for queue in config["task_queues"]] == ["default"]


def test_a_worker_takes_only_from_the_queues_it_was_given() -> None:
    config = celery_config(settings(redis_url="redis://h/0", celery_queues="high_memory"))
    assert [queue.name for queue in config["task_queues"]] == ["high_memory"]


def test_an_idle_worker_asks_redis_for_less_than_two_operations_a_second() -> None:
    """As Redis counts them: a BRPOP, a heartbeat every 2 s, and 5 for each look after messages that were lost."""
    options = celery_config(settings(redis_url="redis://h/0"))["broker_transport_options"]
    looks = 1 / (options["unacked_restore_interval"] * options["unacked_restore_throttle"])
    assert 1 / options["polling_interval"] + 1 / 2 + 5 * looks < 2


def test_concurrency_and_result_expiry_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELERY_WORKER_CONCURRENCY", "7")
    monkeypatch.setenv("CELERY_RESULT_EXPIRES", "120")
    config = celery_config(settings(redis_url="redis://h/0"))
    assert config["worker_concurrency"] == 7
    assert config["result_expires"] == 120


def test_the_consumer_is_the_one_that_outlives_its_broker() -> None:
    name = celery_config(settings(redis_url="redis://h/0"))["worker_consumer"]
    assert symbol_by_name(name) is SteadyConsumer
