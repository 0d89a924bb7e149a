"""Tax: which rate a line takes, and the tax of a document, once per code and rate."""

from collections.abc import Sequence

import polars as pl

from billing_pipeline.catalog.taxes import TaxRate
from billing_pipeline.invoicing.stacked_tax import with_taxes
from billing_pipeline.invoicing.vat_area import is_in_eu, is_registered_in, lawful_words

TAX_RATE = pl.Decimal(9, 4)
PARTS = pl.List(pl.Struct({"label": pl.String, "percent": TAX_RATE}))
CHOSEN = ("tax_code", "tax_rate", "tax_label", "exemption", "is_included", "parts")
"""What choosing a rate adds to a line."""

_RATE_COLUMNS: dict[str, type[pl.DataType] | pl.DataType] = {
    "tax_category": pl.String,
    "rate_country": pl.String,
    "rate_region": pl.String,
    "needs_vat_number": pl.Boolean,
    "rate_from": pl.Date,
    "rate_until": pl.Date,
    "tax_code": pl.String,
    "tax_rate": TAX_RATE,
    "is_included": pl.Boolean,
    "parts": PARTS,
}

# What decides a line's rate; lines that agree in all of it share one decision.
_SITUATION = ["tax_category", "country", "region", "vat_number", "language", "tax_point"]


def tax_point(service_until: pl.Expr, bill_from: pl.Expr) -> pl.Expr:
    """Day whose rates apply: the last day of service, or the billing day if that is earlier.

    Shape: row by row. It depends on the charge alone, never on the bill run, so that a
    correction months later carries the tax of what it corrects.
    """
    return pl.min_horizontal(service_until - pl.duration(days=1), bill_from)


def choose_rates(
    lines: pl.DataFrame, tax_rates: Sequence[TaxRate], seller_country: str
) -> pl.DataFrame:
    """Add the columns CHOSEN to every line.

    `lines` carry `_SITUATION`. The most specific rate that fits is taken: one that needs a VAT
    number before one that does not, a region before a country before any country, then the
    order of the file. A line that no rate fits has nulls.
    Shape: same rows, same order.
    """
    situations = lines.select(_SITUATION).unique(maintain_order=True).with_row_index("situation")
    chosen = (
        situations.join(_rate_frame(tax_rates), on="tax_category", how="inner")
        .filter(_fits(seller_country))
        .sort(
            pl.col("situation"),
            pl.col("needs_vat_number").not_(),
            pl.col("rate_region").is_null(),
            pl.col("rate_country").is_null(),
            pl.col("rate_number"),
        )
        .unique("situation", keep="first", maintain_order=True)
        .join(_spoken(tax_rates, situations), on=["rate_number", "language"], how="left")
        .select("situation", *CHOSEN)
    )
    decided = situations.join(chosen, on="situation", how="left", validate="1:1").drop("situation")
    return _with_words(
        lines.join(
            decided,
            on=_SITUATION,
            how="left",
            validate="m:1",
            nulls_equal=True,
            maintain_order="left",
        )
    )


def taxes_by_group(lines: pl.DataFrame, document: Sequence[str]) -> pl.DataFrame:
    """Tax of each document (named by its `document` columns), once per tax code and rate.

    The tax is the group's base times its rate, rounded half away from zero to a minor unit.
    Source: EN 16931 BR-CO-17. Shape: one row per document, code and rate, sorted by them.
    """
    keys = [*document, "tax_code", "tax_rate"]
    groups = (
        lines.group_by(keys, maintain_order=True)
        .agg(
            pl.col("tax_label").first(),
            pl.col("exemption").drop_nulls().first(),
            pl.col("parts").first(),
            base_minor=pl.col("net_minor").sum(),
            gross_minor=pl.when(pl.col("gross_minor").is_not_null().any()).then(
                pl.col("gross_minor").sum()
            ),
        )
        .sort(*document, "tax_rate", "tax_code", descending=[False] * len(document) + [True, False])
    )
    return with_taxes(groups)


def _rate_frame(tax_rates: Sequence[TaxRate]) -> pl.DataFrame:
    rows = [
        (
            rate.category,
            rate.country,
            rate.region,
            rate.requires_vat_number,
            rate.valid_from,
            rate.valid_until,
            rate.tax_code,
            rate.percent,
            rate.is_included,
            [part.model_dump() for part in rate.parts],
        )
        for rate in tax_rates
    ]
    return pl.DataFrame(rows, schema=_RATE_COLUMNS, orient="row").with_row_index("rate_number")


def _spoken(tax_rates: Sequence[TaxRate], situations: pl.DataFrame) -> pl.DataFrame:
    """What each rate is called in every language that is asked for."""
    languages = situations.get_column("language").drop_nulls().unique().sort().to_list()
    words = [
        (number, language, *rate.words_in(language).model_dump().values())
        for number, rate in enumerate(tax_rates)
        for language in languages
    ]
    schema = {"rate_number": pl.UInt32, "language": pl.String}
    named = {"tax_label": pl.String, "exemption": pl.String}
    return pl.DataFrame(words, schema={**schema, **named}, orient="row")


def _fits(seller_country: str) -> pl.Expr:
    """Whether a rate applies to a situation, all conditions of the rate taken together."""
    region_fits = pl.col("rate_region").is_null() | (pl.col("rate_region") == pl.col("region"))
    country_fits = pl.col("rate_country").is_null() | (pl.col("rate_country") == pl.col("country"))
    number_fits = pl.col("needs_vat_number").not_() | pl.col("vat_number").is_not_null()
    in_force = (pl.col("rate_from") <= pl.col("tax_point")) & (
        pl.col("rate_until").is_null() | (pl.col("tax_point") < pl.col("rate_until"))
    )
    return (
        country_fits.fill_null(value=False)
        & region_fits.fill_null(value=False)
        & number_fits
        & in_force
        & (pl.col("rate_country").is_not_null() | _may_cross_the_border(seller_country))
    )


def _may_cross_the_border(seller_country: str) -> pl.Expr:
    """A rate for any country: reverse charge only inside the EU, export only outside it.

    Without this a reverse-charge rate for "any other country" would also free domestic
    customers and those outside the EU. A rate that names its country is taken at its word.
    """
    customer = pl.col("country")
    seller_in_eu = is_in_eu(pl.lit(seller_country))
    is_abroad = customer != seller_country
    is_eu_business_abroad = (
        is_abroad
        & seller_in_eu
        & is_in_eu(customer)
        & is_registered_in(pl.col("vat_number"), customer)
    )
    is_export = is_abroad & (seller_in_eu & is_in_eu(customer)).not_()
    return (
        pl.when(pl.col("tax_code").is_in(["AE", "K"]))
        .then(is_eu_business_abroad)
        .when(pl.col("tax_code") == "G")
        .then(is_export)
        .otherwise(pl.lit(value=True))
    )


def _with_words(lines: pl.DataFrame) -> pl.DataFrame:
    """Fill the lawful words where the rate brings none of its own."""
    spoken = lines.select("tax_code", "language").drop_nulls().unique().sort(pl.all())
    pairs = zip(spoken["tax_code"].to_list(), spoken["language"].to_list(), strict=True)
    words = spoken.with_columns(
        lawful=pl.Series(
            [lawful_words(code, language) for code, language in pairs], dtype=pl.String
        )
    )
    return (
        lines.join(
            words,
            on=["tax_code", "language"],
            how="left",
            validate="m:1",
            maintain_order="left",
        )
        .with_columns(exemption=pl.coalesce("exemption", "lawful"))
        .drop("lawful")
    )
