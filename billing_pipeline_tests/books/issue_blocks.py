"""A client that issues block after block until it is killed; started by test_kill."""

import sys

import sqlalchemy as sa

from billing_pipeline.books.database import open_engine
from billing_pipeline.books.scope import tenant_scope
from billing_pipeline.books.tables import invoice_number_series
from billing_pipeline_tests.books.builders import bill_run

BLOCK = 20


def main(database_url: str) -> None:
    """Issue, post and book blocks of documents that follow the last committed one."""
    engine = open_engine(database_url)
    while True:
        with tenant_scope(engine, "acme") as connection:
            last = connection.execute(invoice_number_series.select()).first()
        first = 1 if last is None else int(last.last_number) + 1
        try:
            bill_run(engine, *range(first, first + BLOCK))
        except sa.exc.IntegrityError:
            continue  # another issuer was first: follow it
        sys.stdout.write("issued\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
