"""An installation that is gone afterwards: its own Postgres, lake and folders below one folder."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from billing_pipeline.books.embedded import start_embedded, stop_embedded
from billing_pipeline.books.migrate import migrate
from billing_pipeline.orchestration.installation import Installation


def installation_below(home: Path, database_url: str) -> Installation:
    """An installation whose every folder is below `home`."""
    return Installation(
        home=home,
        database_url=database_url,
        lake_url=str(home / "lake"),
        landing_url=str(home / "landing"),
        archive_url=str(home / "archive"),
        documents_url=str(home / "documents"),
    )


@contextmanager
def throwaway_installation() -> Iterator[Installation]:
    """A migrated, empty installation on a Postgres of its own; all of it is removed at the end."""
    with tempfile.TemporaryDirectory(prefix="billing-simulate-") as folder:
        home = Path(folder)
        home.chmod(0o755)  # the embedded server runs as its own user when we are root
        url = start_embedded(home / "postgres")
        try:
            installation = installation_below(home, url)
            migrate(installation.engine)
            yield installation
            installation.engine.dispose()
        finally:
            stop_embedded(home / "postgres")
