"""Which price of a plan takes which usage event."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

import polars as pl

from billing_pipeline.catalog.plans import Plan
from billing_pipeline.catalog.prices import UsagePrice
from billing_pipeline.catalog.selection import ambiguous_prices, usage_prices, wanted_values
from billing_pipeline.rating.judges import FITS, Judge, judges
from billing_pipeline.rating.local_time import days_since
from billing_pipeline.vocabulary.problems import ConfigurationRefused, Problem

NO_VALUE = 0
"""Code of a missing value, or of one that no selector names."""

_ATTRIBUTE = "attributes."
_LARGEST_SIGNATURE = 2**62
_FEW_VALUES = 8


@dataclass(frozen=True)
class PriceRules:
    """Selectors of all plans as codes; row n of `table` is a rule for one price.

    Code n of a field stands for its n-th value, 0 for any other. An event's codes together
    make its signature, a single number: millions of events have only a handful of them, and
    only those are matched against the rules. `judged` are the fields that no event carries:
    whether it is to some destinations, and at some times.
    """

    fields: tuple[str, ...]
    values: dict[str, tuple[str, ...]]
    judged: Mapping[str, Judge]
    plans: int
    span_starts: pl.Series
    table: pl.DataFrame

    def price_of(self, events: pl.DataFrame) -> pl.Series:
        """Price code of each event, null if no price takes it. Shape: row by row.

        `events` has `plan_code`, `local_start`, and the columns selectors look at.
        """
        signatures = self._signatures(events)
        distinct = signatures.unique().sort()
        prices = self._resolved(distinct)
        return prices.gather(distinct.search_sorted(signatures))

    @property
    def _sizes(self) -> tuple[int, ...]:
        spans = self.span_starts.len() + 1
        return (self.plans + 1, spans, *(len(self.values[name]) + 1 for name in self.fields))

    def _signatures(self, events: pl.DataFrame) -> pl.Series:
        span = days_since(self.span_starts, events.get_column("local_start"))
        codes = [
            pl.col("plan_code").fill_null(NO_VALUE).cast(pl.Int64),
            pl.lit(span).cast(pl.Int64),
            *(self._field_code(name, events) for name in self.fields),
        ]
        signature = pl.lit(0, dtype=pl.Int64)
        for code, size in zip(codes, self._sizes, strict=True):
            signature = signature * size + code
        return events.select(signature=signature).get_column("signature")

    def _field_code(self, name: str, events: pl.DataFrame) -> pl.Expr:
        if name in self.judged:
            return pl.lit(self.judged[name](events).cast(pl.Int64))
        return _code(field_value(name), self.values[name])

    def _resolved(self, distinct: pl.Series) -> pl.Series:
        """First price by priority that takes each signature."""
        names = ("plan", "span", *self.fields)
        left = pl.col("signature")
        codes = {}
        for name, size in zip(reversed(names), reversed(self._sizes), strict=True):
            codes[name] = left % size
            left = left // size
        events = distinct.to_frame("signature").with_columns(**codes)
        takes = [
            pl.col(f"rule_{name}").is_null() | (pl.col(f"rule_{name}") == pl.col(name))
            for name in self.fields
        ]
        first = (
            events.join(self.table, on="plan", how="inner")
            .filter(pl.col("span").is_between("span_from", "span_until", closed="left"), *takes)
            .sort("signature", "priority", "price_code")
            .unique("signature", keep="first", maintain_order=True)
        )
        return events.join(
            first.select("signature", "price_code"),
            on="signature",
            how="left",
            validate="1:1",
            maintain_order="left",
        ).get_column("price_code")


def field_value(name: str) -> pl.Expr:
    """Value of an event's field; an attribute is named `attributes.<name>`. Shape: row by row."""
    if not name.startswith(_ATTRIBUTE):
        return pl.col(name)
    escaped = name.removeprefix(_ATTRIBUTE).replace("'", "\\'")
    return pl.col("attributes").str.json_path_match(f"$['{escaped}']")


def _code(value: pl.Expr, known: Sequence[str]) -> pl.Expr:
    """Code of a value. A chain of comparisons beats a hash lookup while values are few."""
    if len(known) > _FEW_VALUES:
        codes = dict(zip(known, range(1, len(known) + 1), strict=True))
        return value.replace_strict(codes, default=NO_VALUE, return_dtype=pl.Int64)
    code = pl.lit(NO_VALUE, dtype=pl.Int64)
    for number, text in enumerate(known, start=1):
        code = pl.when(value == text).then(number).otherwise(code)
    return code.cast(pl.Int64)


def price_rules(plans: Sequence[Plan]) -> PriceRules:
    """Code the selectors of all plans. Plan and price codes count from 1 and 0 in this order.

    Raises: ConfigurationRefused if two prices of a plan take the same event equally.
    """
    problems = [problem for plan in plans for problem in ambiguous_prices(plan)]
    prices = [(code, price) for code, plan in enumerate(plans, 1) for price in usage_prices(plan)]
    wanted = [
        {**wanted_values(price.applies_to), **dict.fromkeys(judges(price.applies_to), FITS)}
        for _, price in prices
    ]
    fields = tuple(sorted({name for fields in wanted for name in fields}))
    values = {
        name: tuple(sorted({fields[name] for fields in wanted if name in fields}))
        for name in fields
    }
    if prod(len(known) + 1 for known in values.values()) > _LARGEST_SIGNATURE // 10**6:
        problems.append(Problem("plans.yaml", None, "applies_to", "too many values to select by"))
    if problems:
        raise ConfigurationRefused(problems)
    days = {price.valid_from for _, price in prices} | {
        price.valid_until for _, price in prices if price.valid_until is not None
    }
    starts = sorted(days)
    rules = [
        _rule(number, plan_code, price, starts) | _rule_codes(fields_wanted, fields, values)
        for number, ((plan_code, price), fields_wanted) in enumerate(
            zip(prices, wanted, strict=True)
        )
    ]
    return PriceRules(
        fields=fields,
        values=values,
        judged={
            name: judge for _, price in prices for name, judge in judges(price.applies_to).items()
        },
        plans=len(plans),
        span_starts=pl.Series("span", starts, dtype=pl.Date),
        table=pl.DataFrame(rules, schema=_rule_schema(fields)),
    )


def _rule(
    number: int, plan: int, price: UsagePrice, starts: list[dt.date]
) -> dict[str, int | None]:
    # Span n begins at starts[n - 1]; span 0 lies before the first price of all.
    until = price.valid_until
    return {
        "plan": plan,
        "price_code": number,
        "priority": price.priority,
        "span_from": starts.index(price.valid_from) + 1,
        "span_until": len(starts) + 1 if until is None else starts.index(until) + 1,
    }


def _rule_codes(
    wanted: dict[str, str], fields: Sequence[str], values: dict[str, tuple[str, ...]]
) -> dict[str, int | None]:
    return {
        f"rule_{name}": values[name].index(wanted[name]) + 1 if name in wanted else None
        for name in fields
    }


def _rule_schema(fields: Sequence[str]) -> dict[str, pl.DataType]:
    fixed = ("plan", "priority", "span_from", "span_until", *(f"rule_{name}" for name in fields))
    return {**{name: pl.Int64() for name in fixed}, "price_code": pl.UInt32()}
