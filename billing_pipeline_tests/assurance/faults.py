"""Faults for every control, as they come about: a bad file, a bad stage, a superuser, the disk.

The story (`story/story.md`) is computed up to 1 February and not issued yet. A fault names the
controls that must speak, all of them: what else follows from the fault stands there too.
"""

import datetime as dt
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import polars as pl

from billing_pipeline.books import manifest
from billing_pipeline.books.scope import tenant_scope
from billing_pipeline.lake import layout
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.simulate import catch_up
from billing_pipeline.orchestration.steps.compute import (
    ComputedCharges,
    compute_bill_day,
    keep_charges,
    read_charges,
)
from billing_pipeline.orchestration.steps.facts import read_facts
from billing_pipeline.orchestration.steps.issue import issue_bill_day
from billing_pipeline.orchestration.steps.keep import KeptFrame, keep_frames
from billing_pipeline.orchestration.steps.register import register_landed_files
from billing_pipeline.rating.schema import RATED_USAGE

FEBRUARY, DAY_AFTER = dt.date(2026, 2, 1), dt.date(2026, 2, 2)
USAGE_DAY = dt.date(2026, 1, 12)
NOON = dt.datetime(2026, 2, 1, 12, tzinfo=dt.UTC)
ONE_DAY = dt.timedelta(days=1)
_HEADER = "call_id,line,called,started_at,seconds\n"

PutIn = Callable[[Installation], None]


@dataclass(frozen=True)
class Fault:
    """What goes wrong, the controls that say so, and the bill day they are asked about."""

    put_in: PutIn
    caught_by: frozenset[str]
    day: dt.date = FEBRUARY


def fault(put_in: PutIn, *caught_by: str, day: dt.date = FEBRUARY) -> Fault:
    return Fault(put_in, frozenset(caught_by), day)


def nothing(_installation: Installation) -> None:
    """The day goes by."""


def changed(*statements: str) -> PutIn:
    """A superuser who has switched the triggers off changes rows of the books."""

    def put_in(installation: Installation) -> None:
        with installation.engine.begin() as connection:
            connection.exec_driver_sql("reset role; set local session_replication_role = replica")
            for statement in statements:
                connection.exec_driver_sql(statement)
            connection.exec_driver_sql("set local session_replication_role = default")

    return put_in


def together(*faults: PutIn) -> PutIn:
    """Several things go wrong at once."""

    def put_in(installation: Installation) -> None:
        for one in faults:
            one(installation)

    return put_in


def landed(name: str, *records: str) -> PutIn:
    """A file lands at noon and is loaded."""

    def put_in(installation: Installation) -> None:
        file = Path(installation.landing_url) / "acme" / "calls" / name
        file.write_text(_HEADER + "".join(f"{record}\n" for record in records))
        os.utime(file, (NOON.timestamp(), NOON.timestamp()))
        register_landed_files(installation, NOON + ONE_DAY, FEBRUARY)
        catch_up(installation, NOON + ONE_DAY)

    return put_in


def rated_parts(installation: Installation) -> list[str]:
    """Paths of the rated usage of 12 January."""
    with tenant_scope(installation.engine, "acme") as connection:
        parts = manifest.partition_paths(
            connection, layout.RATED_USAGE, "acme", USAGE_DAY, USAGE_DAY + ONE_DAY
        )
    return parts["path"].to_list()


def on_disk(installation: Installation) -> Path:
    return Path(installation.lake.locate(rated_parts(installation)[0]))


def parquet_tampered_with(installation: Installation) -> None:
    part = on_disk(installation)
    pl.read_parquet(part).with_columns(pl.col("amount") * 2).write_parquet(part)


def parquet_lost(installation: Installation) -> None:
    on_disk(installation).unlink()


def rated(**columns: pl.Expr) -> PutIn:
    """A faulty rating writes 12 January, and charges follow from it."""

    def put_in(installation: Installation) -> None:
        right = installation.lake.scan(rated_parts(installation), RATED_USAGE).collect()
        wrong = KeptFrame(layout.RATED_USAGE, "acme", right.with_columns(**columns))
        (part,) = keep_frames(installation.lake, [wrong], USAGE_DAY)
        with tenant_scope(installation.engine, "acme") as connection:
            manifest.replace_partition(connection, part.frame, USAGE_DAY, "acme", part.chunks)
        facts = read_facts(installation, "acme")
        computed = compute_bill_day(installation, facts, FEBRUARY)
        keep_charges(installation, "acme", FEBRUARY, computed)

    return put_in


def computed(change: Callable[[pl.DataFrame], pl.DataFrame]) -> PutIn:
    """A faulty billing computes 1 February."""

    def put_in(installation: Installation) -> None:
        right = read_charges(installation, "acme", FEBRUARY)
        wrong = ComputedCharges(right.account_keys, change(right.charges), right.revision)
        keep_charges(installation, "acme", FEBRUARY, wrong)

    return put_in


def where(kind: str, **columns: pl.Expr) -> PutIn:
    """A faulty billing computes other columns of one kind of charge."""
    is_meant = pl.col("charge_kind") == kind
    changes = {
        name: pl.when(is_meant).then(value).otherwise(pl.col(name))
        for name, value in columns.items()
    }
    return computed(
        lambda charges: charges.with_columns(
            **{name: value.cast(charges.schema[name]) for name, value in changes.items()}
        )
    )


def discount_goes_on(charges: pl.DataFrame) -> pl.DataFrame:
    """The discount of one period is taken off in February too."""
    fee = charges.filter(
        pl.col("subscription_key") == "S-2",
        pl.col("charge_kind") == "recurring",
        pl.col("service_from") == FEBRUARY,
    )
    again = fee.with_columns(
        charge_key=pl.lit("S-2/welcome/discount/2026-02-01"),
        charge_kind=pl.lit("discount"),
        price_key=pl.lit("welcome"),
        product_key=pl.lit("reduction"),
        amount=pl.lit(Decimal("-2.00")).cast(charges.schema["amount"]),
    )
    return pl.concat([charges, again])


def ten_times_and_issued(installation: Installation) -> None:
    """Fees come out ten times too high, and the bills go out."""
    where("recurring", amount=pl.col("amount") * 10)(installation)
    issue_bill_day(installation, read_facts(installation, "acme"), FEBRUARY, NOON)


def controls(faults: Iterable[Fault]) -> set[str]:
    """All controls that faults are there for."""
    return {name for one in faults for name in one.caught_by}


BY_NOBODY = [f"e{number},line-9,0113 496 0001,2026-01-12 18:00:00,60" for number in range(5)]
DOUBLED = where("usage", amount=pl.col("amount") * 2)

# What is not as it was written is not counted: its events are missing everywhere after it.
LOST_DAY = ("lake_part", "usage_conserved", "usage_charged", "rederived_totals")

FAULTS = {
    # Deliveries
    "no file comes on a day": fault(nothing, "files_expected", day=DAY_AFTER),
    "a file is dropped on its way": fault(
        landed("calls_0003.csv", "f1,line-1,0113 496 0001,2026-02-01 09:00:00,60"), "sequence_gap"
    ),
    "calls of a number that nobody owns": fault(
        landed("calls_0002.csv", *BY_NOBODY),
        "identifier_without_owner",
        "suspense_age",
        "suspense_value",
    ),
    # Stages
    "mediation doubles a record": fault(
        changed("update conservation set accepted = accepted + 1 where stage = 'mediate'"),
        "conservation",
        "conservation_holds",
    ),
    "usage comes for a masked day": fault(
        changed(
            "update usage_days set masked_at = changed_at, touched = touched + 1 "
            "where usage_day = '2026-01-12'"
        ),
        "usage_after_masking",
    ),
    "a day is skipped by rating": fault(
        changed("delete from conservation where stage = 'rate' and partition_day = '2026-01-12'"),
        "missing_day",
        "usage_conserved",
    ),
    "a Parquet file is tampered with": fault(parquet_tampered_with, *LOST_DAY),
    "a Parquet file is lost": fault(parquet_lost, *LOST_DAY),
    # Rating
    "rating gives calls away": fault(
        rated(amount=pl.lit(Decimal(0)).cast(pl.Decimal(38, 10))), "zero_rated", "below_cost"
    ),
    "a card is three years old": fault(
        changed("update rate_card_prices set valid_from = '2023-01-01' where card_key = 'retail'"),
        "rate_card_age",
    ),
    "a card has run out": fault(
        changed(
            "update rate_card_prices set valid_until = '2026-01-31' where card_key = 'carrier'"
        ),
        "rate_card_lapsed",
    ),
    "a card has two prices for one day": fault(
        changed(
            "update rate_card_prices set valid_from = '2025-12-31', valid_until = null",
            "insert into rate_card_prices (tenant_key, card_key, valid_from, prefix, band, name, "
            "unit_price, connection_fee, minimum_units, increment_units, revision, known_from) "
            "select tenant_key, card_key, '2026-01-01', prefix, band, name, unit_price, "
            "connection_fee, minimum_units, increment_units, revision, known_from "
            "from rate_card_prices",
        ),
        "rate_card_prices_do_not_overlap",
    ),
    "a subscription ends before its usage": fault(
        changed("update subscriptions set ended_on = '2026-01-10' where subscription_key = 'S-1'"),
        "usage_outside_subscription",
        "charge_without_subscription",
    ),
    "an identifier of a subscription that does not exist": fault(
        changed(
            "update service_identifiers set subscription_key = 'no' where identifier = 'line-1'"
        ),
        "identifiers_have_one_owner",
    ),
    "a currency has no exchange rate of late": fault(
        changed(
            "update tenants set document = "
            "replace(document::text, '2026-01-20', '2025-12-01')::jsonb"
        ),
        "exchange_rate_age",
    ),
    # Billing
    "a doubled rate": fault(DOUBLED, "rederived_totals"),
    "an event charged twice": fault(where("usage", events=pl.col("events") + 1), "usage_charged"),
    "more taken free than the bundle includes": fault(
        where("usage", quantity=pl.col("quantity") / 2), "included_units"
    ),
    "a usage charge is missing": fault(
        computed(lambda charges: charges.filter(pl.col("charge_kind") != "usage")),
        "unbilled_age",
    ),
    "a charge computed twice": fault(
        computed(lambda charges: pl.concat([charges, charges])),
        "charge_once",
        "included_units",
        "rederived_totals",
    ),
    "January charged again": fault(
        where("recurring", service_from=pl.lit(dt.date(2026, 1, 15))), "service_period_once"
    ),
    "a discount goes on": fault(computed(discount_goes_on), "discount_past_end"),
    "charges of a subscription are gone": fault(
        together(
            computed(lambda charges: charges.filter(pl.col("subscription_key") != "S-2")),
            changed("delete from charges where subscription_key = 'S-2'"),
        ),
        "subscription_without_charge",
        "unbilled_age",
        "charges_equal_invoice_lines",
    ),
    "fees of a subscription that does not exist": fault(
        where(
            "recurring",
            subscription_key=pl.col("subscription_key").replace("S-2", "S-9"),
        ),
        "charge_without_subscription",
        "subscription_without_charge",
    ),
    "a bill ten times the usual": fault(ten_times_and_issued, "unusual_amount"),
    "a bill day is skipped": fault(
        changed("delete from bill_days where bill_day = '2026-01-15'"), "bill_days_without_gaps"
    ),
    "more is given back than was charged": fault(
        changed("update charges set net_minor = -net_minor where subscription_key = 'S-3'"),
        "credits_within_charges",
        "charges_equal_invoice_lines",
    ),
    "a fee is posted again": fault(
        changed(
            "insert into charges select (jsonb_populate_record(null::charges, to_jsonb(charges) "
            "|| '{\"charge_key\": \"again\"}')).* from charges where subscription_key = 'S-1'"
        ),
        "service_periods_charged_once",
        "charges_equal_invoice_lines",
    ),
    # Documents and books
    "a posted amount is changed": fault(
        changed("update charges set net_minor = 2001 where subscription_key = 'S-1'"),
        "charges_equal_invoice_lines",
    ),
    "a line is changed": fault(
        changed("update invoice_lines set net_minor = 2001 where subscription_key = 'S-1'"),
        "invoices_equal_their_lines",
        "charges_equal_invoice_lines",
        "taxes_recomputed",
    ),
    "a document is lost": fault(
        changed("delete from invoices where account_key = 'A-2'"),
        "invoice_numbers_without_gaps",
        "journal_equals_invoices",
        "rederived_totals",
    ),
    "a booked row is changed": fault(
        changed("update postings set amount_minor = amount_minor + 1 where role = 'receivable'"),
        "journal_balances",
        "trial_balance_is_zero",
        "journal_equals_invoices",
        "handoff_equals_journal",
        "rederived_totals",
    ),
    "a journal number is lost": fault(
        changed("update journal_series set last_number = last_number + 1"),
        "journal_numbers_without_gaps",
    ),
    "a payment is not booked": fault(
        changed(
            "insert into payments values ('acme', 'P-1', 'payment', 'A-1', '2026-01-20', 'GBP', 1, "
            "'', 'test', '2026-01-20')"
        ),
        "payments_equal_journal",
    ),
    "a batch is left out": fault(
        changed("update handoff_batches set batch_number = 2"), "handoffs_follow"
    ),
}
