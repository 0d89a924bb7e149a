"""The CSV files of a tenant folder: their columns, and what an empty cell means."""

from typing import get_args
from zoneinfo import ZoneInfo

import polars as pl

from billing_pipeline.catalog.agreements import ALWAYS
from billing_pipeline.catalog.rate_cards import RateCard
from billing_pipeline.catalog.schema import RATE_CARD_PRICES
from billing_pipeline.customers.tenant import EInvoiceProfile, PaymentMethod, Tenant
from billing_pipeline.intake.account_types import payment_method, payment_terms
from billing_pipeline.intake.csv_tables import CsvColumn, CsvTable, read_table
from billing_pipeline.vocabulary.money import AMOUNT, QUANTITY
from billing_pipeline.vocabulary.problems import ROW, Problem, problems_in

_PROFILES = get_args(EInvoiceProfile)
_METHODS = get_args(PaymentMethod)
_ACCOUNT_COLUMNS = (
    CsvColumn("account_key", "key", is_required=True),
    CsvColumn("name", is_required=True),
    CsvColumn("account_type", "key"),
    CsvColumn("payer_key", "key"),
    CsvColumn("parent_key", "key"),
    CsvColumn("currency", "currency"),
    CsvColumn("opened_on", "date", is_required=True),
    CsvColumn("closed_on", "date"),
    CsvColumn("payment_terms_days", "integer"),
    CsvColumn("language"),
    CsvColumn("street", is_required=True),
    CsvColumn("city", is_required=True),
    CsvColumn("postal_code", is_required=True),
    CsvColumn("region"),
    CsvColumn("country", "country", is_required=True),
    CsvColumn("vat_number"),
    CsvColumn("email"),
    CsvColumn("agent"),
    CsvColumn("buyer_reference"),
    CsvColumn("electronic_address"),
    CsvColumn("einvoice_profile"),
    CsvColumn("payment_method", "key"),
    CsvColumn("mandate_reference"),
    CsvColumn("debited_iban"),
)
_SUBSCRIPTION_COLUMNS = (
    CsvColumn("subscription_key", "key", is_required=True),
    CsvColumn("account_key", "key", is_required=True),
    CsvColumn("plan_key", "key", is_required=True),
    CsvColumn("quantity", "decimal"),
    CsvColumn("started_on", "date", is_required=True),
    CsvColumn("ended_on", "date"),
    CsvColumn("discount_key", "key"),
    CsvColumn("label"),
    CsvColumn("payment_terms_days", "integer"),
)
_IDENTIFIER_COLUMNS = (
    CsvColumn("identifier", is_required=True),
    CsvColumn("subscription_key", "key"),
    CsvColumn("valid_from", "local_time"),
    CsvColumn("valid_until", "local_time"),
    CsvColumn("match", "key"),
    CsvColumn("status", "key"),
)
_RATE_CARD_COLUMNS = (
    CsvColumn("prefix", "prefix", is_required=True),
    CsvColumn("name", is_required=True),
    CsvColumn("unit_price", "decimal"),
    CsvColumn("connection_fee", "decimal"),
    CsvColumn("minimum_units", "decimal"),
    CsvColumn("increment_units", "decimal"),
    CsvColumn("band", "key"),
    CsvColumn("valid_from", "date"),
    CsvColumn("valid_until", "date"),
)
TABLE_COLUMNS = {
    "accounts": _ACCOUNT_COLUMNS,
    "subscriptions": _SUBSCRIPTION_COLUMNS,
    "service_identifiers": _IDENTIFIER_COLUMNS,
    "rate_card": _RATE_CARD_COLUMNS,
}
"""Columns of each table by its name."""

NO_RATE_CARD_PRICES = pl.DataFrame(schema={ROW: pl.Int64, **RATE_CARD_PRICES.polars_schema})


def accounts(content: bytes | None, tenant: Tenant | None) -> CsvTable:
    """ACCOUNTS with ROW; empty cells take the tenant's currency, terms and language."""
    table = _read("accounts.csv", content, _ACCOUNT_COLUMNS)
    if tenant is None:
        return table
    frame = table.frame.with_columns(pl.col("account_type").fill_null("business")).with_columns(
        pl.col("payer_key").fill_null(pl.col("account_key")),
        pl.col("currency").fill_null(tenant.currency),
        pl.col("payment_terms_days").fill_null(payment_terms(tenant)),
        pl.col("language").fill_null(tenant.locale),
        pl.col("payment_method").fill_null(payment_method(tenant)),
    )
    unknown = problems_in(
        frame,
        "accounts.csv",
        "einvoice_profile",
        pl.col("einvoice_profile").is_in(_PROFILES).not_(),
        pl.format("'{}' is none of {}", "einvoice_profile", pl.lit(", ".join(_PROFILES))),
    )
    other = pl.format("'{}' is none of {}", "payment_method", pl.lit(", ".join(_METHODS)))
    is_other = pl.col("payment_method").is_in(_METHODS).not_()
    unknown += problems_in(frame, "accounts.csv", "payment_method", is_other, other)
    return CsvTable(frame, (*table.problems, *unknown))


def subscriptions(content: bytes | None) -> CsvTable:
    """SUBSCRIPTIONS with ROW; an empty quantity is one."""
    table = _read("subscriptions.csv", content, _SUBSCRIPTION_COLUMNS)
    one = pl.lit(1).cast(QUANTITY)
    return CsvTable(table.frame.with_columns(pl.col("quantity").fill_null(one)), table.problems)


def service_identifiers(
    content: bytes | None, subscriptions: pl.DataFrame, tenant: Tenant | None
) -> CsvTable:
    """SERVICE_IDENTIFIERS with ROW; an empty start is the first day of the subscription.

    An empty match is exact, an empty status assigned. What nobody owns is so from its own start.

    Local days and times are instants in the tenant's zone; a time that occurs twice on the day
    clocks go back is the earlier one, a time skipped when they go forward is a mistake.
    """
    file = "service_identifiers.csv"
    table = _read(file, content, _IDENTIFIER_COLUMNS)
    zone = ZoneInfo("UTC") if tenant is None else tenant.zone
    starts = subscriptions.select(
        "subscription_key", pl.col("started_on").cast(pl.String).alias("started_on")
    ).unique("subscription_key", keep="first", maintain_order=True)
    local = table.frame.join(
        starts, on="subscription_key", how="left", validate="m:1", maintain_order="left"
    )
    written = {
        "valid_from": pl.coalesce("valid_from", "started_on"),
        "valid_until": pl.col("valid_until"),
    }
    instants = local.with_columns(
        _instant(text, zone).alias(name) for name, text in written.items()
    )
    skipped = [
        problem
        for name in written
        for problem in problems_in(
            local.with_columns(instants[name].alias("instant")),
            file,
            name,
            pl.col(name).is_not_null() & pl.col("instant").is_null(),
            pl.format("'{}' does not exist in {}: clocks go forward", name, pl.lit(zone.key)),
        )
    ]
    named = instants.drop("started_on").with_columns(
        pl.col("match").fill_null("exact"), pl.col("status").fill_null("assigned")
    )
    return CsvTable(named, (*table.problems, *skipped))


def rate_card_prices(file: str, content: bytes, card: RateCard) -> CsvTable:
    """RATE_CARD_PRICES with ROW of one card; an empty price blocks the destination."""
    table = read_table(file, content, _RATE_CARD_COLUMNS)
    frame = table.frame.with_columns(
        card_key=pl.lit(card.key),
        valid_from=pl.col("valid_from").fill_null(ALWAYS),
        band=pl.col("band").fill_null(""),
        connection_fee=pl.col("connection_fee").fill_null(pl.lit(0).cast(AMOUNT)),
        minimum_units=pl.col("minimum_units").fill_null(pl.lit(card.minimum_units, QUANTITY)),
        increment_units=pl.col("increment_units").fill_null(pl.lit(card.increment_units, QUANTITY)),
    ).select(NO_RATE_CARD_PRICES.columns)
    problems = [*table.problems, *_negative(file, frame)]
    return CsvTable(frame, tuple(problems))


def _negative(file: str, frame: pl.DataFrame) -> list[Problem]:
    blocked = pl.lit("is below zero; leave it empty to block the destination")
    below = pl.lit("is below zero")
    step = pl.lit("must be above zero")
    return [
        *problems_in(frame, file, "unit_price", pl.col("unit_price") < 0, blocked),
        *problems_in(frame, file, "connection_fee", pl.col("connection_fee") < 0, below),
        *problems_in(frame, file, "minimum_units", pl.col("minimum_units") < 0, below),
        *problems_in(frame, file, "increment_units", pl.col("increment_units") <= 0, step),
    ]


def _read(file: str, content: bytes | None, columns: tuple[CsvColumn, ...]) -> CsvTable:
    """Read a table; a tenant without the file has a table without rows."""
    if content is None:
        content = ",".join(column.name for column in columns).encode()
    return read_table(file, content, columns)


def _instant(text: pl.Expr, zone: ZoneInfo) -> pl.Expr:
    """The UTC instant of a local day or time; null where clocks skip the time."""
    spaced = text.str.replace("T", " ", literal=True)
    day = spaced.str.to_datetime("%Y-%m-%d", time_unit="us", strict=False)
    minute = spaced.str.to_datetime("%Y-%m-%d %H:%M", time_unit="us", strict=False)
    second = spaced.str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us", strict=False)
    # Where clocks go forward at midnight, the day begins when they have.
    begin_of_day = pl.coalesce(_zoned(day, zone), _zoned(day.dt.offset_by("1h"), zone))
    return pl.coalesce(begin_of_day, _zoned(minute, zone), _zoned(second, zone))


def _zoned(local: pl.Expr, zone: ZoneInfo) -> pl.Expr:
    aware = local.dt.replace_time_zone(zone.key, ambiguous="earliest", non_existent="null")
    return aware.dt.convert_time_zone("UTC")
