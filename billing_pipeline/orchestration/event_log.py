"""Dagster's event log in Postgres, where a run's plan is written at once.

A run over a month of a tenant plans one event for every asset and day. Postgres storage writes
those one by one, in two transactions each, which takes longer than billing the days on which
nothing happens. `dagster.yaml` names this class in place of the library's.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import dagster as dg
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable
from dagster._serdes import ConfigurableClassData
from dagster_postgres import PostgresEventLogStorage
from dagster_postgres.utils import pg_url_from_config
from sqlalchemy import Connection


class PlannedAtOnceEventLog(PostgresEventLogStorage):
    """Postgres event log that keeps the planned materializations of a run in one statement."""

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> Self:
        """The event log of an instance; configured as the library's."""
        return cls(
            pg_url_from_config(config_value),
            should_autocreate_tables=config_value.get("should_autocreate_tables", True),
            inst_data=inst_data,
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as the library's
        self._known: set[str] = set()
        super().__init__(*args, **kwargs)

    def has_table(self, table_name: str) -> bool:
        """Whether a table is there; once it is, it is not asked for again."""
        if table_name not in self._known and super().has_table(table_name):
            self._known.add(table_name)
        return table_name in self._known

    def _has_asset_key_col_on_connection(self, conn: Connection, column_name: str) -> bool:
        name = f"column {column_name}"
        if name not in self._known and super()._has_asset_key_col_on_connection(conn, column_name):
            self._known.add(name)
        return name in self._known

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Keep events of one run; planned materializations together, all others as ever."""
        planned = [event for event in events if _is_planned_materialization(event)]
        others = [event for event in events if not _is_planned_materialization(event)]
        if planned:
            self._store_planned(planned)
        if others:
            super().store_event_batch(others)

    def _store_planned(self, planned: Sequence[EventLogEntry]) -> None:
        statement = self.prepare_insert_event_batch(planned)
        with self._connect() as connection:
            kept = connection.execute(statement.returning(SqlEventLogStorageTable.c.id))
            ids = [int(row[0]) for row in kept.fetchall()]
        newest = {
            event.get_dagster_event().asset_key: (event, event_id)
            for event, event_id in zip(planned, ids, strict=True)
        }
        with self.index_transaction() as connection:
            for event, event_id in newest.values():
                self._store_asset_event(connection, event, event_id)


def _is_planned_materialization(event: EventLogEntry) -> bool:
    kind = event.get_dagster_event().event_type
    return bool(kind is dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED)
