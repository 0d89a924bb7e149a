"""Which printed lines a document has: one per charge, product, transaction, or unit price.

What is posted and taxed stays one line per charge; here they are only put together or taken
apart, so that printed lines always sum to the posted ones.
"""

from collections.abc import Callable, Mapping
from typing import Literal

import polars as pl

from billing_pipeline.catalog.plans import Product
from billing_pipeline.vocabulary.money import (
    AMOUNT,
    QUANTITY,
    exact_product,
    split_by_largest_remainder,
    to_minor_units,
)

LinesBy = Literal["charge", "product", "transaction", "unit_price"]

MOST_TRANSACTIONS = 200
"""Events, or prices, of a charge that become lines; one of more stays one line."""

_ALIKE = ["account_key", "product_key", "charge_kind", "unit", "tax_code", "tax_rate", "currency"]
_CORRECTED = "corrects_invoice"
_KEPT = [
    "posting_number", "account_key", "subscription_key", "product_key", "price_key",
    "charge_kind", "description", "service_from", "service_until", "currency", "tax_category",
    "tax_code", "tax_rate", "corrects_invoice",
]  # fmt: skip
"""What parts of a line have in common with it."""


def printed_lines(
    lines: pl.DataFrame,
    usage: pl.DataFrame,
    lines_by: LinesBy,
    products: Mapping[str, Product],
    time_zone: str,
) -> pl.DataFrame:
    """INVOICE_LINES of one document as its lines are printed, in printing order.

    Args:
        lines: INVOICE_LINES of the document.
        usage: the RATED_USAGE behind it.
        lines_by: what a line is; see `tenant.yaml`.
        products: what is sold, by key.
        time_zone: zone of the clock times on lines per transaction.
    """
    match lines_by:
        case "charge":
            return lines
        case "product":
            return _numbered(_by_product(lines, products))
        case "transaction":
            events = _events_of_lines(lines, usage, time_zone)
            return _numbered(_taken_apart(lines, events, _split))
        case "unit_price":
            prices = _prices_of_lines(_events_of_lines(lines, usage, time_zone))
            return _numbered(_taken_apart(lines, prices, _split_by_price))


def _numbered(lines: pl.DataFrame) -> pl.DataFrame:
    number = pl.int_range(1, pl.len() + 1, dtype=pl.Int64)
    return lines.sort("line_number", maintain_order=True).with_columns(line_number=number)


def _by_product(lines: pl.DataFrame, products: Mapping[str, Product]) -> pl.DataFrame:
    """Charges of one product, kind, unit and tax as one line."""
    names = {key: product.name for key, product in products.items()}
    is_one_price = pl.col("unit_price").n_unique() == 1
    is_one_text = pl.col("description").n_unique() == 1
    is_one_subscription = pl.col("subscription_key").n_unique() == 1
    name = pl.col("product_key").replace_strict(names, default=None, return_dtype=pl.String)
    put_together = lines.group_by(*_ALIKE, _CORRECTED, maintain_order=True).agg(
        pl.col("line_number").min(),
        pl.col("service_from").min(),
        pl.col("service_until").max(),
        pl.col("quantity").sum(),
        pl.col("net_minor").sum(),
        unit_price=pl.when(is_one_price).then(pl.col("unit_price").first()),
        subscription_key=pl.when(is_one_subscription).then(pl.col("subscription_key").first()),
        text=pl.when(is_one_text).then(pl.col("description").first()),
        first_text=pl.col("description").first(),
    )
    return put_together.with_columns(
        description=pl.coalesce("text", name, "first_text"),
        quantity=pl.col("quantity").cast(QUANTITY),
    )


def _events_of_lines(lines: pl.DataFrame, usage: pl.DataFrame, time_zone: str) -> pl.DataFrame:
    """The usage behind each usage charge, in order, with what stands on its line."""
    started = pl.col("started_at").dt.convert_time_zone(time_zone)
    return (
        usage.with_columns(local_day=started.dt.date(), clock=started.dt.to_string("%H:%M:%S"))
        .join(
            lines.filter((pl.col("charge_kind") == "usage") & (pl.col("posting_number") == 1)),
            on=["account_key", "subscription_key", "product_key", "price_key"],
            how="inner",
            suffix="_of_line",
        )
        .filter(pl.col("local_day").is_between("service_from", "service_until", closed="left"))
        .sort("line_number", "started_at", "file_key", "record_number")
    )


def _prices_of_lines(events: pl.DataFrame) -> pl.DataFrame:
    """What the events of each charge come to at each of its unit prices, the first used first.

    Charges that are not what their events come to, such as those with included units, are left
    out, and so are those of one price or of none, and those without a unit to share out.
    """
    line = ["line_number", "unit_price"]
    sums = events.group_by(line, maintain_order=True).agg(
        pl.col("amount", "billable_units").sum(),
        pl.col("net_minor", "quantity_of_line", "unit").first(),
        pl.col(_KEPT).first(),
        count=pl.len().cast(pl.Int64),
    )
    of_line = pl.len().over("line_number")
    whole = to_minor_units(pl.col("amount").sum().over("line_number"), pl.col("currency"))
    return sums.filter(
        (of_line > 1)
        & (pl.col("unit_price").null_count().over("line_number") == 0)
        & (pl.col("billable_units").sum().over("line_number") > 0)
        & ((whole - pl.col("net_minor")).abs() <= 1)
    )


def _taken_apart(
    lines: pl.DataFrame, pieces: pl.DataFrame, split: Callable[[pl.DataFrame], pl.DataFrame]
) -> pl.DataFrame:
    """Usage charges as several lines; the net of each is its share, by largest remainder.

    What was free has no share and is a line of nothing.
    """
    parts = [
        split(part)
        for part in pieces.partition_by("line_number", maintain_order=True)
        if part.height <= MOST_TRANSACTIONS
        and (part["amount"] >= 0).all()
        and (part["amount"] > 0).any()
    ]
    if not parts:
        return lines
    made = pl.concat(parts)
    whole = lines.join(made.select("line_number").unique(), on="line_number", how="anti")
    return pl.concat([whole, made], how="diagonal_relaxed")


def _nets(part: pl.DataFrame) -> pl.Series:
    weights = [int(amount.scaleb(AMOUNT.scale)) for amount in part["amount"]]
    nets = split_by_largest_remainder(part["net_minor"][0], weights)
    return pl.Series(nets, dtype=pl.Int64)


def _split_by_price(part: pl.DataFrame) -> pl.DataFrame:
    """The unit prices of one charge as lines; the quantity is split as the units are."""
    units = pl.col("billable_units")
    return part.select(
        *_KEPT,
        "line_number",
        quantity=exact_product(pl.col("quantity_of_line"), units, over=units.sum()).cast(QUANTITY),
        unit="unit",
        unit_price="unit_price",
        net_minor=_nets(part),
        events="count",
    )


def _split(part: pl.DataFrame) -> pl.DataFrame:
    """The events of one charge as lines."""
    words = pl.concat_str(
        pl.coalesce("rate_name", "usage_type"), "destination", "clock",
        separator=" ", ignore_nulls=True,
    )  # fmt: skip
    return part.select(
        "line_number", "posting_number", "account_key", "subscription_key", "product_key",
        "price_key", "charge_kind", "currency", "tax_category", "tax_code", "tax_rate",
        "corrects_invoice",
        description=words,
        service_from="local_day",
        service_until=pl.col("local_day").dt.offset_by("1d"),
        quantity=pl.lit(1).cast(QUANTITY),
        unit=pl.lit("event"),
        unit_price=pl.lit(None, AMOUNT),
        net_minor=_nets(part),
        events=pl.lit(1, pl.Int64),
    )  # fmt: skip
