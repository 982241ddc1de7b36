"""The real parts the tests run against, each started once and only when asked for: PostgreSQL, Redis and S3.

A database is built by the migrations once, as a template; every test gets it clean.
"""

import gc
import os
import re
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

# Before anything of ours reads a setting: no developer's .env, no test's word in the log of another.
os.environ["AGENSIUM_NO_ENV_FILE"] = "1"
os.environ["ENVIRONMENT"] = "test"
# Compiled once, not by each of the hundreds of processes that the tests start: half of all their seconds.
os.environ["PYTHONDONTWRITEBYTECODE"] = ""

import psutil
import psycopg
import pytest
from psycopg import sql
from xdist.scheduler import LoadScopeScheduling

import db.database
from backend.devstack import Stack, embedded_stack
from backend.doors import get_doors
from backend.settings import get_settings
from backend.storage.door import Storage
from db.database import close_database, libpq_url
from db.schema import migrate
from tests.model_server import ModelServer, serving
from transformers import catalog

TEMPLATE = "agensium_template"

# Begun first, the longest before the others, or at the end everybody waits for them: what has a deployment of its own,
# and the files whose tests compute most.
LONGEST = (
    "house-solo", "house-web", "house-models", "test_chaos.py", "house-", "/acceptance/", "test_conformance.py",
    "test_agent_leash.py", "test_agent_process.py", "test_null_handler.py", "/matching/", "/agents/",
)  # fmt: skip

sys.dont_write_bytecode = False  # this process, too


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: whoever tests a deployment waits now and then. Two more only crowd each other."""
    return 1 + (os.cpu_count() or 1)


def pytest_configure() -> None:
    """Collecting makes objects that stay: whoever looks for garbage among them looks in vain, a fifth of the time."""
    gc.disable()


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


def pytest_unconfigure() -> None:
    """What was set aside is let go, or libraries complain at the end that it was leaked."""
    gc.unfreeze()


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    return Groups(config, log)


class Groups(LoadScopeScheduling):
    """A file's tests run in one process; those of a deployment (tests/acceptance/house.py) where that one is open.

    xdist's own `loadgroup` writes the group into the node's id, which pytest 9 reads elsewhere.
    """

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {group: _place_of(group) for group in {group_of(item.nodeid) for item in items}}
    items.sort(key=lambda item: places[group_of(item.nodeid)])


def _place_of(group: str) -> int:
    return next((place for place, part in enumerate(LONGEST) if part in group), len(LONGEST))


@cache
def group_of(nodeid: str) -> str:
    """By what the test's file asks for, and by the pool that its deployment is asked with."""
    file, _, name = nodeid.partition("::")
    if file.startswith("tests/web/"):
        return "house-web"  # one browser, one deployment
    asked = _fixtures_of(file)
    pool = re.search(r"\[(prefork|threads|solo)\b", name)
    if "house" in asked and pool:
        return f"house-{pool[1]}"
    named = ("docs", ("working_house", "newcomer")), ("models", ("models_house",)), ("solo", ("solo_house",))
    return next((f"house-{house}" for house, fixtures in named if asked.intersection(fixtures)), file)


@cache
def _fixtures_of(file: str) -> frozenset[str]:
    text = (Path(__file__).parents[1] / file).read_text(encoding="utf-8")
    return frozenset(re.findall(r"\b(\w*house|newcomer)\b(?=[,:)\]\"'])", text))


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """PostgreSQL (with the migrated template), Redis and S3, on ports of their own."""
    with embedded_stack(tmp_path_factory.mktemp("stack"), fast=True) as running:
        os.environ.update(running.environment())
        forget_settings()  # a test that needs no stack may have read them before
        migrate(running.postgres.create_database(TEMPLATE))
        yield running


def new_database(running: Stack, name: str) -> str:
    """A migrated, empty database; its address. 30 ms."""
    return running.postgres.create_database(name, template=TEMPLATE)


@pytest.fixture(scope="session")
def shared_database(stack: Stack) -> str:
    """One database for all tests of this process; `database` empties it."""
    url = new_database(stack, "agensium_tests")
    with psycopg.connect(libpq_url(url), autocommit=True) as connection:
        _teach_to_empty_itself(connection)
    return url


@pytest.fixture(scope="session")
def emptied(shared_database: str) -> Iterator[Callable[[], None]]:
    """Empties it, over a connection that stays open."""
    with psycopg.connect(libpq_url(shared_database), autocommit=True) as connection:

        def empty() -> None:
            try:
                connection.execute("CALL empty_all()")
            except psycopg.errors.DeadlockDetected:  # with the last beat of the test before, which was under way still
                connection.execute("CALL empty_all()")

        yield empty


KEPT = ("alembic_version", "admission_clock")


def _teach_to_empty_itself(connection: psycopg.Connection[Any]) -> None:
    """`CALL empty_all()`, 0.5 ms. TRUNCATE would make each table's files anew, 27 ms of PostgreSQL's time.

    Like TRUNCATE it waits for whoever of the test before still writes. `replica`: rows go in any order.
    """
    tables = [row[0] for row in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    numbers = [row[0] for row in connection.execute("SELECT sequencename FROM pg_sequences")]
    names = [sql.Identifier(table) for table in tables if table not in KEPT]
    acts = [
        sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(sql.SQL(", ").join(names)),
        *(sql.SQL("DELETE FROM {}").format(name) for name in names),
        *(sql.SQL("PERFORM setval({}, 1, false)").format(sql.Literal(number)) for number in numbers),
        sql.SQL("UPDATE admission_clock SET v = 0, house_kept_at = to_timestamp(0)"),
    ]
    body = sql.SQL("; ").join(acts)
    connection.execute(
        sql.SQL("""
            CREATE PROCEDURE empty_all() LANGUAGE plpgsql SET session_replication_role = replica AS
            $$ BEGIN {}; END $$
        """).format(body)
    )


@pytest.fixture(scope="module", autouse=True)
def _one_engine_a_module() -> Iterator[None]:
    """With an engine go the statements that SQLAlchemy has compiled: anew for each test, they cost 0.1 s each time."""
    close_database()
    yield
    close_database()


ABOUT_LIMITS = ("test_database.py", "test_rounds.py")  # of a station: whose tests meet them


@pytest.fixture
def database(
    shared_database: str,
    emptied: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> Iterator[str]:
    """A clean database that this process' settings and `transaction()` mean; its address."""
    if request.path.name not in ABOUT_LIMITS:
        patient_stations(monkeypatch)
    emptied()
    monkeypatch.setattr("db.paces._remembered", None)
    monkeypatch.setenv("DATABASE_URL", shared_database)
    forget_settings()
    before = _what_an_engine_is_made_from()
    yield shared_database
    if _what_an_engine_is_made_from() != before:  # the test changed it, and an engine may be made from that
        close_database()
    forget_settings()


def _what_an_engine_is_made_from() -> tuple[dict[str, str], dict[str, str]]:
    """monkeypatch is undone after `database`."""
    named = {name: value for name, value in os.environ.items() if name.startswith("DATABASE_")}
    return named, dict(db.database.STATION_LIMITS)


def patient_stations(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests that are not about the limits of a station: a busy machine gets more time."""
    monkeypatch.setattr(db.database, "STATION_LIMITS", dict.fromkeys(db.database.STATION_LIMITS, "30s"))


@pytest.fixture
def storage_bucket(stack: Stack, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Storage]:
    """The door to an empty bucket of this test's own."""
    name = f"test-{abs(hash(request.node.nodeid)):x}"
    monkeypatch.setenv("S3_BUCKET", name)
    forget_settings()
    storage = get_doors().storage
    storage.ensure_bucket()
    yield storage
    storage.delete(found.key for found in storage.list(""))
    forget_settings()


@pytest.fixture(scope="session")
def models_process() -> Iterator[ModelServer]:
    """One scripted server of language models a process; `model_server` wipes it."""
    with serving() as server:
        yield server


@pytest.fixture
def model_server(models_process: ModelServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    """A language models' server without a script, which this process' settings mean; `environment()` is for others."""
    models_process.forget()
    for name, value in models_process.environment().items():
        monkeypatch.setenv(name, value)
    forget_settings()
    yield models_process
    forget_settings()


@pytest.fixture(autouse=True)
def _settings_of_its_own() -> Iterator[None]:
    """What a test read of an environment that is undone by now is not for the next one."""
    yield
    forget_settings()


def forget_settings() -> None:
    """Everything that was made from settings is made anew."""
    for cached in (get_settings, get_doors, catalog.transformers):
        cached.cache_clear()


@pytest.fixture(scope="session", autouse=True)
def no_process_left_behind() -> Iterator[None]:
    """What the tests start, they stop: whoever is still there at the end fails the run."""
    yield
    left = [child for child in psutil.Process().children(recursive=True) if child.status() != psutil.STATUS_ZOMBIE]
    assert not left, [child.cmdline() for child in left]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Public data with ground truth beside the checkout; absent on a customer's machine, never in CI."""
    folder = Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        assert os.environ.get("CI") != "true", f"{folder} must be there in CI"
        pytest.skip("the shared data is not beside this checkout")
    return folder
