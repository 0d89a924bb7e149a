"""Dagster's Postgres storage with connections that are kept and planned events written together.

As shipped it connects about eleven times for every event, and writes what a run plans one event
at a time: a month of one tenant plans hundreds. `dagster.yaml` names this class.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable
from dagster._serdes import ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage, PostgresEventLogStorage
from dagster_postgres.utils import get_token_provider_from_config, pg_url_from_config
from sqlalchemy import Connection

STATEMENT_TIMEOUT_MS = 120_000
RECYCLED_AFTER_S = 1_800
MOST_MORE_CONNECTIONS = 16
_PLANNED = dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED


class BatchingEventLog(PostgresEventLogStorage):
    """Writes what a run plans in one statement, and asks once which tables there are."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as above it
        self._known: set[str] = set()
        super().__init__(*args, **kwargs)

    def store_event_batch(self, events: Sequence[dg.EventLogEntry]) -> None:
        """Store events; those that plan a materialization go together."""
        planned = [event for event in events if event.dagster_event_type == _PLANNED]
        others = [event for event in events if event.dagster_event_type != _PLANNED]
        if planned:
            self._store_planned(planned)
        if others:
            super().store_event_batch(others)

    def _store_planned(self, events: Sequence[dg.EventLogEntry]) -> None:
        statement = self.prepare_insert_event_batch(events)
        with self._connect() as connection:
            rows = connection.execute(statement.returning(SqlEventLogStorageTable.c.id))
            ids = [int(row[0]) for row in rows.fetchall()]
        # Of each asset only the last event is remembered beside its key.
        last = {
            event.get_dagster_event().asset_key: (event, at)
            for event, at in zip(events, ids, strict=True)
        }
        with self.index_transaction() as connection:
            for event, at in last.values():
                self._store_asset_event(connection, event, at)

    def has_table(self, table_name: str) -> bool:
        """Whether a table is there; once it is, it stays."""
        if table_name not in self._known and super().has_table(table_name):
            self._known.add(table_name)
        return table_name in self._known

    def _has_asset_key_col_on_connection(self, conn: Connection, column_name: str) -> bool:
        name = f"asset_keys.{column_name}"
        if name not in self._known and super()._has_asset_key_col_on_connection(conn, column_name):
            self._known.add(name)
        return name in self._known


class KeptConnections(DagsterPostgresStorage):
    """Runs, events and schedules in Postgres, over connections that stay open."""

    def __init__(self, postgres_url: str, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(postgres_url, *args, **kwargs)
        self._event_log_storage = BatchingEventLog(
            postgres_url,
            self.should_autocreate_tables,
            token_provider=kwargs.get("token_provider"),
        )
        for storage in (self._run_storage, self._event_log_storage, self._schedule_storage):
            storage.optimize_for_webserver(
                STATEMENT_TIMEOUT_MS, RECYCLED_AFTER_S, MOST_MORE_CONNECTIONS
            )

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> "KeptConnections":
        """Make the storage that an instance's configuration names."""
        return cls(
            pg_url_from_config(config_value),
            should_autocreate_tables=config_value.get("should_autocreate_tables", True),
            inst_data=inst_data,
            token_provider=get_token_provider_from_config(config_value),
        )
