"""Cutting a quantity at tier bounds."""

from collections.abc import Sequence
from decimal import Decimal

import polars as pl

from billing_pipeline.catalog.prices import Tier
from billing_pipeline.rating.exact import (
    WHOLE,
    checked_product,
    decimals,
    rounded_quotient,
    to_whole,
    wholes,
)


def units_in_tier(quantity: pl.Expr, tier_above: pl.Expr, tier_up_to: pl.Expr) -> pl.Expr:
    """Units of `quantity` above `tier_above`, up to and including `tier_up_to`.

    Shape: row by row. Units: all three in the same unit. A null `tier_up_to` is open-ended.
    """
    return (pl.min_horizontal(quantity, tier_up_to) - tier_above).clip(lower_bound=0)


def tiered_amount(quantity: pl.Series, tiers: Sequence[Tier], pricing_unit: Decimal) -> pl.Series:
    """Amount of each quantity, each slice at its own tier's price, rounded once.

    Past the last bounded tier its price goes on. A tier's flat fee is owed once any usage lies
    in it. Shape: row by row. Units: `quantity` in measured units, tier bounds in pricing units.
    Raises: AmountOverflow.
    """
    used = quantity.to_frame("quantity").select(used=wholes(pl.col("quantity")))
    priced, fees = pl.lit(0, dtype=WHOLE), pl.lit(0, dtype=WHOLE)
    above = 0
    for number, tier in enumerate(tiers, start=1):
        up_to = None if number == len(tiers) else tier.up_to
        bound = None if up_to is None else to_whole(up_to * pricing_unit)
        sliced = used.select(
            units=units_in_tier(
                pl.col("used"), pl.lit(above, dtype=WHOLE), pl.lit(bound, dtype=WHOLE)
            ),
            price=pl.lit(to_whole(tier.amount), dtype=WHOLE),
        )
        priced += pl.lit(checked_product(sliced, "units", "price"))
        is_reached = pl.lit(sliced.get_column("units") > 0)
        fees += pl.when(is_reached).then(pl.lit(to_whole(tier.flat_fee), dtype=WHOLE)).otherwise(0)
        above = above if bound is None else bound
    amount = rounded_quotient(priced, pl.lit(to_whole(pricing_unit), dtype=WHOLE)) + fees
    return used.select(amount=decimals(amount)).get_column("amount")


def volume_amount(quantity: pl.Series, tiers: Sequence[Tier], pricing_unit: Decimal) -> pl.Series:
    """Amount of each quantity, all of it at the price of the tier it reaches, rounded once.

    Past the last bounded tier its price goes on. The flat fee is that of the tier reached.
    Example: to 100 at 1.00, above at 0.80: 100 are 100.00, 101 are 80.80.
    Shape: row by row. Units: `quantity` in measured units, tier bounds in pricing units.
    Raises: AmountOverflow.
    """
    used = quantity.to_frame("quantity").select(units=wholes(pl.col("quantity")))
    priced = used.with_columns(
        price=_of_tier_reached(tiers, pricing_unit, [tier.amount for tier in tiers])
    )
    fee = _of_tier_reached(tiers, pricing_unit, [tier.flat_fee for tier in tiers])
    whole = rounded_quotient(
        pl.lit(checked_product(priced, "units", "price")),
        pl.lit(to_whole(pricing_unit), dtype=WHOLE),
    )
    return used.select(amount=decimals(whole + fee)).get_column("amount")


def threshold_amount(
    quantity: pl.Series, tiers: Sequence[Tier], pricing_unit: Decimal
) -> pl.Series:
    """One amount for each quantity: that of the tier it reaches; none for no usage.

    Example: to 1,000 for 20.00, to 5,000 for 50.00, above for 90.00: 1,001 cost 50.00.
    Shape: row by row. Units: `quantity` in measured units, tier bounds in pricing units.
    """
    used = quantity.to_frame("quantity").select(units=wholes(pl.col("quantity")))
    owed = [tier.amount + tier.flat_fee for tier in tiers]
    return used.select(amount=decimals(_of_tier_reached(tiers, pricing_unit, owed))).get_column(
        "amount"
    )


def package_amount(
    quantity: pl.Series, *, size: Decimal, amount: Decimal, pricing_unit: Decimal
) -> pl.Series:
    """Amount of each quantity in whole blocks; a started block is owed.

    Example: blocks of 1,000 messages at 5.00: 1,001 messages are two blocks, 10.00.
    Shape: row by row. Units: `quantity` in measured units, `size` in pricing units.
    Raises: AmountOverflow.
    """
    step = to_whole(size * pricing_unit)
    blocks = (wholes(pl.col("quantity")).clip(lower_bound=0) + (step - 1)) // step
    counted = quantity.to_frame("quantity").select(
        blocks=blocks, price=pl.lit(to_whole(amount), dtype=WHOLE)
    )
    owed = pl.lit(checked_product(counted, "blocks", "price"))
    return counted.select(amount=decimals(owed)).get_column("amount")


def _of_tier_reached(
    tiers: Sequence[Tier], pricing_unit: Decimal, values: Sequence[Decimal]
) -> pl.Expr:
    """Value of the tier that `units` reach; zero for no usage."""
    units = pl.col("units")
    reached = pl.lit(to_whole(values[-1]), dtype=WHOLE)
    for tier, value in zip(reversed(tiers[:-1]), reversed(values[:-1]), strict=True):
        bound = pl.lit(to_whole((tier.up_to or Decimal(0)) * pricing_unit), dtype=WHOLE)
        reached = (
            pl.when(units <= bound).then(pl.lit(to_whole(value), dtype=WHOLE)).otherwise(reached)
        )
    return pl.when(units > 0).then(reached).otherwise(pl.lit(0, dtype=WHOLE))
