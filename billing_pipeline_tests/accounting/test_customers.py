import datetime as dt
import io

import polars as pl

from billing_pipeline.accounting.handoff.customers import customers_csv
from billing_pipeline.customers.schema import ACCOUNTS
from billing_pipeline.customers.tenant import HandoffMapping
from billing_pipeline_tests.accounting.builders import tenant


def test_who_pays_is_listed_by_the_name_the_system_knows() -> None:
    account = dict.fromkeys(ACCOUNTS.names, "x") | {
        "opened_on": dt.date(2026, 1, 1),
        "closed_on": None,
        "payment_terms_days": 14,
    }
    accounts = pl.DataFrame(
        [
            account | {"account_key": "B", "payer_key": "B", "name": "Müller, Söhne"},
            account | {"account_key": "C", "payer_key": "B"},
            account | {"account_key": "A", "payer_key": "A"},
        ],
        schema=ACCOUNTS.polars_schema,
    )
    owner = tenant(mapping=HandoffMapping(customers={"B": "10007"}))

    rows = pl.read_csv(io.BytesIO(customers_csv(accounts, owner, "journal_csv")))

    assert rows.select("customer", "account_key", "name").rows() == [
        ("A", "A", "x"),
        ("10007", "B", "Müller, Söhne"),
    ]
