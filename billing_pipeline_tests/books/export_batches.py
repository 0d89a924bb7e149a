"""A client that books and hands over batch after batch until it is killed."""

import sys
from pathlib import Path

from billing_pipeline.books.scope import tenant_scope
from billing_pipeline.books.tables import journal_series
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.steps.book import hand_off_journal
from billing_pipeline.orchestration.steps.facts import read_tenant
from billing_pipeline.orchestration.throwaway import installation_below
from billing_pipeline_tests.books.builders import BILL_DAY, NOON, bill_run


def main(database_url: str, home: str) -> None:
    """Book a document and hand it over, again and again."""
    installation = installation_below(Path(home), database_url)
    while True:
        book_one(installation)
        hand_off(installation)
        sys.stdout.write("handed over\n")
        sys.stdout.flush()


def book_one(installation: Installation) -> None:
    with tenant_scope(installation.engine, "acme") as connection:
        last = connection.execute(journal_series.select()).first()
    bill_run(installation.engine, 1 if last is None else int(last.last_number) + 1)


def hand_off(installation: Installation) -> None:
    tenant = read_tenant(installation, "acme")
    hand_off_journal(installation, tenant, "journal_csv", BILL_DAY, NOON)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
