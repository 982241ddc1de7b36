"""The specification's own pattern on plain Celery: a row whose status the task commits at its start and at its end.

SQLAlchemy on PostgreSQL as the specification has it: read the row, set RUNNING, commit; nothing; set DONE, commit.
Acks late, two prefork slots. Two commits a task, as our claim and our settlement; no fence, no events, no credits.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import create_engine, insert
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, sessionmaker

from bench.peers.celery_app import WORKER, app
from bench.peers.counting import done, throughput
from bench.peers.talk import Orders, Run, serve, worker

engine = create_engine(os.environ["PEER_DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://"), pool_size=1)
new_session = sessionmaker(engine)


class Base(DeclarativeBase):
    """The one table."""


class Analysis(Base):
    __tablename__ = "analyses"
    id: Mapped[int] = mapped_column(primary_key=True)
    status: Mapped[str]


@app.task(ignore_result=True, name="process")
def process(analysis_id: int) -> None:
    with new_session() as session:
        analysis = session.get_one(Analysis, analysis_id)
        analysis.status = "RUNNING"
        session.commit()
        analysis.status = "DONE"
        session.commit()
    done()


@contextmanager
def prepared(_: Orders) -> Iterator[Run]:
    Base.metadata.create_all(engine)

    def queue_up(count: int) -> None:
        with new_session.begin() as session:
            rows = [{"status": "QUEUED"} for _ in range(count)]
            ids = session.scalars(insert(Analysis).returning(Analysis.id), rows).all()
        for analysis_id in ids:
            process.delay(analysis_id)

    with throughput(queue_up, lambda: [worker(*WORKER, "-c", "2", "--include=bench.peers.celery_status")]) as run:
        yield run


if __name__ == "__main__":
    serve(prepared)
