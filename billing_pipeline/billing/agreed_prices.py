"""Recurring prices agreed with one subscription, for the days they are agreed for."""

import polars as pl

from billing_pipeline.vocabulary.periods import days_between

_PRICE = ["subscription_key", "price_key"]


def with_agreed_prices(priced: pl.DataFrame, agreed: pl.DataFrame) -> pl.DataFrame:
    """Cut each priced period where an agreed amount begins or ends, and take that amount.

    Shape: one row per priced period and amount in force; `priced` has `price_amount` and the
    days `valid_from`, `valid_until` it holds, `agreed` is AGREED_PRICES.
    """
    if agreed.is_empty():
        return priced
    has_other = priced.join(agreed, on=_PRICE, how="semi")
    usual = priced.join(agreed, on=_PRICE, how="anti")
    return pl.concat([usual, _cut(has_other, _whole_time(agreed)).select(priced.columns)])


def _whole_time(agreed: pl.DataFrame) -> pl.DataFrame:
    """Agreed spans and the gaps between, before and after them, whose amount is null."""
    ordered = agreed.sort(*_PRICE, "valid_from")
    before = ordered.select(
        *_PRICE,
        agreed_amount=pl.lit(None, dtype=ordered.schema["amount"]),
        agreed_from=pl.col("valid_until").shift(1).over(_PRICE),
        agreed_until=pl.col("valid_from"),
    )
    during = ordered.select(
        *_PRICE,
        agreed_amount="amount",
        agreed_from="valid_from",
        agreed_until="valid_until",
    )
    after = (
        ordered.group_by(_PRICE, maintain_order=True)
        .last()
        .filter(pl.col("valid_until").is_not_null())
        .select(
            *_PRICE,
            agreed_amount=pl.lit(None, dtype=ordered.schema["amount"]),
            agreed_from="valid_until",
            agreed_until=pl.lit(None, dtype=pl.Date),
        )
    )
    touching = days_between(pl.col("agreed_from"), pl.col("agreed_until")) == 0
    spans = pl.concat([before, during, after])
    return spans.filter(~touching.fill_null(value=False))


def _cut(priced: pl.DataFrame, agreed: pl.DataFrame) -> pl.DataFrame:
    return priced.join(agreed, on=_PRICE, how="inner").with_columns(
        price_amount=pl.coalesce("agreed_amount", "price_amount"),
        valid_from=pl.max_horizontal("valid_from", "agreed_from"),
        valid_until=pl.min_horizontal("valid_until", "agreed_until"),
    )
