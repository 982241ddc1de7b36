import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from backend.settings import Settings
from tests.deploy.commands import FLOWERS_OWN, GIBIBYTE, REQUIRED, SETTINGS, agents_memory, understood

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("migrate", "api", "worker", "flower", "demo")
ONCE = ("migrate", "demo")  # run to their end
STAY = [name for name in SERVICES if name not in ONCE]
THEIRS = [name for name in SERVICES if name not in OURS]
# A setting written into .env reaches the product, but for these: the image or this file says them, or one process alone
# could use them.
NOT_HANDED_ON = {"SCRATCH_DIR", "BROKER_DIR", "CHROMA_PATH", "METRICS_PORT", "WEBHOOKS_TO_LOOPBACK", "LOG_JSON"}
PINNED = re.compile(r"[a-z0-9-]+(/[a-z0-9-]+)?:v?\d+\.\d+[a-z0-9.-]*@sha256:[0-9a-f]{64}")
MADE = re.compile(r"^([A-Z0-9_]+)=([0-9a-f]{64})$", re.MULTILINE)


def seconds(said: str) -> float:
    number, unit = float(said[:-1]), said[-1]
    return number * {"s": 1, "m": 60}[unit]


def in_bytes(said: str) -> int:
    number = re.sub(r"\$\{\w+:-(\w+)\}", r"\1", said)
    return int(number[:-1]) * {"m": 2**20, "g": GIBIBYTE}[number[-1]]


def limits(service: str) -> dict[str, Any]:
    found: dict[str, Any] = SERVICES[service]["deploy"]["resources"]["limits"]
    return found


def words(service: str) -> list[str]:
    return [re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", word) for word in SERVICES[service]["command"]]


@pytest.mark.parametrize("service", OURS)
def test_what_a_container_is_told_is_a_setting(service: str) -> None:
    assert set(SERVICES[service]["environment"]) - SETTINGS - FLOWERS_OWN == set()


@pytest.mark.parametrize("service", ["migrate", "api", "worker", "demo"])
def test_every_setting_that_is_written_into_the_env_file_reaches_the_product(service: str) -> None:
    missing = SETTINGS - set(SERVICES[service]["environment"]) - NOT_HANDED_ON
    assert not missing, "name them under x-settings, without a value"


@pytest.mark.parametrize("service", OURS)
def test_what_production_demands_is_there(service: str) -> None:
    assert set(SERVICES[service]["environment"]) >= REQUIRED
    assert SERVICES[service]["environment"]["ENVIRONMENT"] == "production"


@pytest.mark.parametrize("service", ["migrate", "api", "flower", "worker"])
def test_each_command_is_one_of_ours_with_options_it_has(service: str) -> None:
    assert understood(words(service))


def test_the_demo_names_a_file_that_is_mounted() -> None:
    (mount,) = SERVICES["demo"]["volumes"]
    here, there, mode = mount.split(":")
    _, *options = words("demo")
    file = options[options.index("--file") + 1]
    assert mode == "ro"
    assert (ROOT / here / Path(file).relative_to(there)).is_file()


@pytest.mark.skipif(sys.platform == "win32", reason="a shell makes it")
def test_a_new_env_file_has_every_secret_and_each_is_chance(tmp_path: Path) -> None:
    script = tmp_path / "deploy" / "new-env.sh"
    script.parent.mkdir()
    script.write_bytes((ROOT / "deploy" / "new-env.sh").read_bytes())
    made = subprocess.run(["sh", script], check=True, capture_output=True, text=True, cwd="/")
    text = (tmp_path / ".env").read_text()
    secrets = dict(MADE.findall(text))
    assert set(secrets) == set(re.findall(r"\$\{(\w+):\?", TEXT))
    assert len(set(secrets.values())) == len(secrets)
    assert (tmp_path / ".env").stat().st_mode & 0o077 == 0
    assert not [value for value in secrets.values() if value in made.stdout + made.stderr]
    again = subprocess.run(["sh", script], check=False, capture_output=True, text=True)
    assert (again.returncode, (tmp_path / ".env").read_text()) == (1, text)


def test_no_secret_has_a_value_here() -> None:
    told = [
        (name, str(value))
        for service in SERVICES.values()
        for name, value in service.get("environment", {}).items()
        if value is not None
    ]
    secret = re.compile(r"PASSWORD|SECRET|KEY|AUTH$|_URL$")
    open_ones = {"S3_ENDPOINT_URL", "S3_PUBLIC_ENDPOINT_URL"}
    shown = [name for name, value in told if secret.search(name) and name not in open_ones and "${" not in value]
    assert shown == ["DATABASE_URL"], "of Flower, which asks no database"
    assert not re.search(r"\$\{\w*(PASSWORD|SECRET|KEY)\w*:-", TEXT), "a secret has no default"


@pytest.mark.parametrize("service", THEIRS)
def test_a_foreign_image_is_pinned_and_names_no_registry(service: str) -> None:
    assert PINNED.fullmatch(SERVICES[service]["image"])


@pytest.mark.parametrize("service", SERVICES)
def test_a_container_has_no_more_than_it_needs(service: str) -> None:
    told = SERVICES[service]
    assert told["read_only"] is True
    assert told["cap_drop"] == ["ALL"]
    assert told["security_opt"] == ["no-new-privileges:true"]
    assert told["init"] is True
    assert set(limits(service)) == {"cpus", "memory", "pids"}
    assert set(told["logging"]["options"]) == {"max-size", "max-file"}
    assert "container_name" not in told
    assert "privileged" not in told


@pytest.mark.parametrize("service", THEIRS)
def test_a_foreign_container_is_not_roots(service: str) -> None:
    told = SERVICES[service]
    if service == "s3":  # its entry point makes the volume its own, and goes on as user 1000
        assert set(told["cap_add"]) == {"CHOWN", "SETGID", "SETUID"}
    else:
        assert re.fullmatch(r"[1-9]\d*:\d+", told["user"])
        assert "cap_add" not in told


@pytest.mark.parametrize("service", [name for name in SERVICES if "ports" in SERVICES[name]])
def test_ports_are_published_on_the_loopback_alone(service: str) -> None:
    assert [port for port in SERVICES[service]["ports"] if not port.startswith("127.0.0.1:")] == []


def test_a_worker_may_be_there_several_times() -> None:
    assert "ports" not in SERVICES["worker"]
    assert SERVICES["worker"]["volumes"] == [{"type": "volume", "target": "/scratch"}]  # of each its own


def test_neither_the_database_nor_the_broker_is_reached_from_outside() -> None:
    for name, network in (("postgres", "database"), ("redis", "bell")):
        assert SERVICES[name]["networks"] == [network]
        assert COMPOSE["networks"][network]["internal"] is True
        assert "ports" not in SERVICES[name]


@pytest.mark.parametrize("service", STAY)
def test_what_stays_is_asked_whether_it_is_well(service: str) -> None:
    check = SERVICES[service]["healthcheck"]
    assert check["test"][0] in {"CMD", "CMD-SHELL"}
    assert seconds(check["timeout"]) <= seconds(check["interval"]) + 5


def test_our_own_health_checks_ask_ports_that_are_served() -> None:
    served = {"api": 8000, "worker": int(SERVICES["worker"]["environment"]["METRICS_PORT"]), "flower": 5555}
    for service, port in served.items():
        command = SERVICES[service]["healthcheck"]["test"]
        assert command[:5] == ["CMD", "python", "-I", "-m", "backend.alive"]
        assert f"http://127.0.0.1:{port}/" in command[5]


def test_each_starts_when_what_it_needs_is_ready() -> None:
    for service in SERVICES.values():
        for needed, how in service.get("depends_on", {}).items():
            finished = needed in ONCE
            assert how == {"condition": "service_completed_successfully" if finished else "service_healthy"}
    assert set(SERVICES["migrate"]["depends_on"]) == {"postgres", "s3"}
    for service in ("api", "worker"):
        assert set(SERVICES[service]["depends_on"]) == {"migrate", "redis"}


def test_the_broker_keeps_what_it_is_told_evicts_nothing_and_wants_a_password() -> None:
    command = SERVICES["redis"]["command"][-1]
    for words_there in ("--appendonly yes", "--maxmemory-policy noeviction", "requirepass $$REDIS_PASSWORD"):
        assert words_there in command
    maxmemory = re.search(r"--maxmemory (\d+m)b", command)
    assert maxmemory
    assert limits("redis")["memory"] == "512m"
    assert in_bytes(maxmemory[1]) * 2 <= in_bytes("512m")


def test_a_worker_has_the_time_to_drain_and_the_api_to_answer() -> None:
    drain = float(SERVICES["worker"]["environment"]["DRAIN_SECONDS"])
    assert seconds(SERVICES["worker"]["stop_grace_period"]) >= drain + 10
    grace = understood(words("api"))["grace"]
    assert isinstance(grace, int)
    assert seconds(SERVICES["api"]["stop_grace_period"]) >= grace + 5


def test_a_worker_has_the_memory_for_its_agents() -> None:
    slots = Settings(_env_file=None).celery_worker_concurrency
    assert in_bytes(limits("worker")["memory"]) >= agents_memory(slots) + GIBIBYTE // 2


def test_flower_is_there_when_asked_for_and_wants_a_password() -> None:
    assert SERVICES["flower"]["profiles"] == ["flower"]
    assert re.fullmatch(r"\w+:\$\{FLOWER_PASSWORD:\?.*\}", SERVICES["flower"]["environment"]["FLOWER_BASIC_AUTH"])


def test_the_watchers_are_there_when_asked_for_and_find_whom_they_watch() -> None:
    for name in ("prometheus", "grafana"):
        assert SERVICES[name]["profiles"] == ["observe"]
        mounts = [volume.split(":")[0] for volume in SERVICES[name]["volumes"] if volume.startswith("./")]
        assert mounts
        assert [mount for mount in mounts if not (ROOT / mount).is_dir()] == []
    scraped = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text(encoding="utf-8"))["scrape_configs"]
    found = {(name, of["port"]) for job in scraped for of in job["dns_sd_configs"] for name in of["names"]}
    assert found == {("api", 8000), ("worker", 9464)}
    for name in ("api", "worker"):
        assert "numbers" in SERVICES[name]["networks"]
