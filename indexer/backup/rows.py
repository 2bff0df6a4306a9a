"""The catalogue's published rows as lines of JSON, the same from SQLite and from PostgreSQL."""

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Column, ColumnElement, Connection, Table, func, insert, select

from engine.catalogue.tables import LIVE, Base, Document, Job, Photo, UtcTime

BATCH = 1000  # rows of one statement
Row = dict[str, Any]

# In the order in which they can be filled; jobs are work under way, which a backup does not hold
TABLES = [table for table in Base.metadata.sorted_tables if table is not Job.__table__]


def write_rows(connection: Connection, folder: Path) -> None:
    """Write what is published of each table into a file of the folder, TABLE.jsonl, by primary key."""
    for table in TABLES:
        query = select(*_columns(table)).where(*_published(table)).order_by(*table.primary_key.columns)
        with (folder / f"{table.name}.jsonl").open("w", encoding="utf-8") as file:
            for row in connection.execute(query.execution_options(yield_per=BATCH)):
                file.write(json.dumps(dict(row._mapping), default=datetime.isoformat) + "\n")


def read_rows(connection: Connection, table: Table, file: IO[bytes], change: Callable[[Row], Row]) -> None:
    """Insert the rows of such a file, each as `change` returns it."""
    times = [column.name for column in table.columns if isinstance(column.type, UtcTime)]
    rows = (change(_with_times(json.loads(line), times)) for line in file)
    for batch in _batches(rows):
        connection.execute(insert(table), batch)


def continue_ids(connection: Connection) -> None:
    """Have PostgreSQL number new rows behind those that came with their ids; SQLite does so by itself."""
    if connection.dialect.name != "postgresql":
        return
    for table in TABLES:
        if "id" in table.columns:
            sequence = func.pg_get_serial_sequence(table.name, "id")
            last = select(func.max(table.columns.id)).scalar_subquery()
            connection.execute(select(func.setval(sequence, func.coalesce(last, 1), last.is_not(None))))


def _columns(table: Table) -> list[Column[Any]]:
    return [column for column in table.columns if column.name != "vectors"]  # those of published rows are in the index


def _published(table: Table) -> Iterator[ColumnElement[bool]]:
    if "state" in table.columns:
        yield table.columns.state == LIVE
    elif "document_id" in table.columns:
        yield table.columns.document_id.in_(select(Document.id).where(Document.state == LIVE))
    elif "photo_id" in table.columns:
        yield table.columns.photo_id.in_(select(Photo.id).where(Photo.state == LIVE))


def _with_times(row: Row, times: list[str]) -> Row:
    given = {name: datetime.fromisoformat(row[name]) for name in times if row.get(name) is not None}
    return row | given


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    remaining = iter(rows)
    while batch := list(islice(remaining, BATCH)):
        yield batch
