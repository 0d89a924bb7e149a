"""One installation: where its books, lake, landing zone, archive and documents are.

Everything is read from the environment; with nothing set, all of it lives below `./.billing`.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import sqlalchemy as sa

from billing_pipeline.books.database import open_engine
from billing_pipeline.books.embedded import start_embedded
from billing_pipeline.lake.store import Lake


@dataclass(frozen=True)
class Installation:
    """Addresses of one installation. Nothing is opened before it is used."""

    home: Path
    database_url: str
    lake_url: str
    landing_url: str
    archive_url: str
    documents_url: str

    @staticmethod
    def from_environment(environment: Mapping[str, str] = os.environ) -> "Installation":
        """Read BILLING_HOME, BILLING_DATABASE_URL, BILLING_LAKE_URL and their like."""
        home = Path(environment.get("BILLING_HOME", ".billing")).resolve()

        def address(variable: str, folder: str) -> str:
            return environment.get(variable, str(home / folder))

        return Installation(
            home=home,
            database_url=environment.get("BILLING_DATABASE_URL", ""),
            lake_url=address("BILLING_LAKE_URL", "lake"),
            landing_url=address("BILLING_LANDING_URL", "landing"),
            archive_url=address("BILLING_ARCHIVE_URL", "archive"),
            documents_url=address("BILLING_DOCUMENTS_URL", "documents"),
        )

    @cached_property
    def books_url(self) -> str:
        """The configured Postgres, or the embedded one, started if it is not running."""
        return self.database_url or start_embedded(self.home / "postgres")

    @cached_property
    def engine(self) -> sa.Engine:
        """Connections to the books.

        Raises: DatabaseUnreachable with one clear message.
        """
        return open_engine(self.books_url)

    @cached_property
    def lake(self) -> Lake:
        """The Parquet files."""
        return Lake(self.lake_url)
