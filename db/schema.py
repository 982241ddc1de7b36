"""Bringing a database to the newest migration. Apart from database.py, so that only who migrates loads Alembic."""

from pathlib import Path

from alembic import command
from alembic.config import Config

from db.database import sqlalchemy_url

MIGRATIONS = Path(__file__).parent / "migrations"


def migrate(url: str) -> None:
    """Bring the database at `url` to the newest migration."""
    command.upgrade(alembic_config(url), "head")


def alembic_config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["url"] = sqlalchemy_url(url)
    return config
