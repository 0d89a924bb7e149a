"""How long a bill run of many accounts takes: compute, then reconcile with what was posted.

`python -m billing_pipeline_tests.bench.bench_billing [ACCOUNTS] [PERIODS]`: three subscriptions
an account, fee and metered minutes each, `PERIODS` months of history, all due on the same day.
"""

import datetime as dt
import resource
import sys
import time
from decimal import Decimal

import polars as pl

from billing_pipeline.billing.bill import compute_charges
from billing_pipeline.billing.due import due_accounts
from billing_pipeline.billing.facts import BillingFacts
from billing_pipeline.billing.reconcile import reconcile
from billing_pipeline.catalog.plans import Discount
from billing_pipeline.customers.schema import ACCOUNTS, SUBSCRIPTIONS
from billing_pipeline.rating.schema import RATED_USAGE
from billing_pipeline.vocabulary.money import AMOUNT
from billing_pipeline_tests.billing import given

SUBSCRIPTIONS_PER_ACCOUNT = 3
EVENTS_PER_PERIOD = 4
OPENED = dt.date(2024, 1, 1)
_HALF_MINUTE = 30


def _keys(prefix: str, count: int) -> pl.Series:
    return pl.select(pl.format(prefix + "{}", pl.int_range(count).cast(pl.String).str.zfill(7)))[
        "literal"
    ]


def many_facts(accounts: int, periods: int) -> BillingFacts:
    """A tenant with `accounts` accounts, each with its subscriptions and usage."""
    of_accounts = (
        given.accounts()
        .drop("account_key", "payer_key")
        .join(pl.DataFrame({"account_key": _keys("a", accounts)}), how="cross")
        .with_columns(payer_key="account_key", opened_on=pl.lit(OPENED))
    )
    number = pl.int_range(pl.len())
    of_subscriptions = (
        given.subscriptions({"discount_key": "loyal"})
        .drop("subscription_key", "account_key")
        .join(
            pl.DataFrame({"subscription_key": _keys("s", accounts * SUBSCRIPTIONS_PER_ACCOUNT)}),
            how="cross",
        )
        .with_columns(
            account_key=pl.format(
                "a{}", (number // SUBSCRIPTIONS_PER_ACCOUNT).cast(pl.String).str.zfill(7)
            ),
            discount_key=pl.when(number % 10 == 0).then("discount_key"),
        )
    )
    plan = given.plan(
        [given.LINE, given.MINUTES],
        minimum_fee={"key": "floor", "product": "floor", "amount": "1"},
    )
    loyal = Discount.model_validate(
        {"key": "loyal", "name": "Loyalty", "product": "rebate", "percent_off": 10}
    )
    return given.facts(
        plans=[plan],
        discounts=[loyal],
        of_accounts=ACCOUNTS.conform(of_accounts.select(ACCOUNTS.names)),
        of_subscriptions=SUBSCRIPTIONS.conform(of_subscriptions.select(SUBSCRIPTIONS.names)),
        usage=_usage(of_subscriptions, periods),
    )


def _usage(subscriptions: pl.DataFrame, periods: int) -> pl.DataFrame:
    times = pl.DataFrame(
        {
            "started_at": [
                dt.datetime(2024 + month // 12, month % 12 + 1, 3 + 7 * n, 15, tzinfo=dt.UTC)
                for month in range(periods)
                for n in range(EVENTS_PER_PERIOD)
            ]
        },
        schema={"started_at": pl.Datetime("us", "UTC")},
    )
    one = given.rated(given.call("2024-01-03T15:00", _HALF_MINUTE)).drop(
        "account_key", "subscription_key", "started_at"
    )
    usage = subscriptions.select("account_key", "subscription_key").join(times, how="cross")
    return usage.join(one, how="cross").select(RATED_USAGE.names)


def posted_before(charges: pl.DataFrame, bill_day: dt.date) -> pl.DataFrame:
    """What earlier runs posted: all but today's charges, a few of them otherwise."""
    before = charges.filter(pl.col("bill_from") < bill_day)
    moved = pl.when(pl.int_range(pl.len()) % 100 == 0).then(pl.lit(Decimal(1))).otherwise(0)
    return before.with_columns(
        posted_amount=pl.col("amount") + moved.cast(AMOUNT),
        posted_minor=pl.col("amount").cast(pl.Decimal(38, 2)).cast(pl.Int64),
        postings=pl.lit(1, dtype=pl.Int64),
        invoice_number=pl.lit("INV-1"),
    )


def main() -> None:
    """Print seconds, processor seconds, rows and peak memory of one bill run."""
    accounts = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    periods = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    facts = many_facts(accounts, periods)
    bill_day = dt.date(2024 + periods // 12, periods % 12 + 1, 1)
    started, busy_from = time.perf_counter(), time.process_time()
    due = due_accounts(facts, bill_day)
    found = time.perf_counter()
    charges = compute_charges(facts, due, bill_day)
    computed, busy = time.perf_counter(), time.process_time() - busy_from
    posted = posted_before(charges, bill_day)
    prepared, busy_from = time.perf_counter(), time.process_time()
    to_post = reconcile(charges, posted)
    done, busy = time.perf_counter(), busy + time.process_time() - busy_from
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 / 1024
    sys.stdout.write(
        f"{due.len()} accounts due, {facts.subscriptions.height} subscriptions, "
        f"{periods} periods, {charges.height} charges, {posted.height} posted, "
        f"{to_post.height} to post\n"
        f"due {found - started:.1f} s, compute {computed - found:.1f} s, "
        f"reconcile {done - prepared:.1f} s, processor {busy:.1f} s, peak {peak:.1f} GB\n"
    )


if __name__ == "__main__":
    main()
