"""The tax of a group: of its base once, or of each stacked tax once, and its share in prices."""

import polars as pl

from billing_pipeline.vocabulary.money import AMOUNT, plain_text


def tax_minor(base_minor: pl.Expr, rate: pl.Expr) -> pl.Expr:
    """Base times rate, rounded half away from zero. Shape: row by row. Source: BR-CO-17."""
    fraction = rate.cast(AMOUNT) * pl.lit("0.01").cast(AMOUNT)
    exact = base_minor.cast(AMOUNT) * fraction
    return exact.round(0, mode="half_away_from_zero").cast(pl.Int64)


def with_taxes(groups: pl.DataFrame) -> pl.DataFrame:
    """Add `tax_minor`, and turn `parts` into JSON with the tax of each part.

    Stacked taxes (GST and PST, state and county) are owed to different offices: each is rounded
    by itself, and the group's tax is their sum. Where prices contain the tax (`gross_minor`) it is
    what the base leaves of them. Shape: same rows, same order.
    """
    numbered = groups.with_row_index("group_number")
    parts = (
        numbered.select("group_number", "base_minor", "parts")
        .explode("parts")
        .drop_nulls("parts")
        .unnest("parts")
        .with_columns(part_minor=tax_minor(pl.col("base_minor"), pl.col("percent")))
    )
    stacked = parts.group_by("group_number", maintain_order=True).agg(
        stacked_minor=pl.col("part_minor").sum(), written=_json().str.join(",")
    )
    return (
        numbered.join(stacked, on="group_number", how="left", validate="1:1", maintain_order="left")
        .with_columns(
            tax_minor=pl.coalesce(
                "stacked_minor",
                pl.col("gross_minor") - pl.col("base_minor"),
                tax_minor(pl.col("base_minor"), pl.col("tax_rate")),
            ),
            parts=pl.coalesce(pl.format("[{}]", "written"), _included()),
        )
        .drop("group_number", "stacked_minor", "written", "gross_minor")
    )


def _json() -> pl.Expr:
    """One part as a JSON object."""
    quoted = (
        pl.col("label")
        .str.replace_all("\\", "\\\\", literal=True)
        .str.replace_all('"', '\\"', literal=True)
    )
    return pl.concat_str(
        pl.lit('{"label":"'),
        quoted,
        pl.lit('","percent":"'),
        plain_text(pl.col("percent")),
        pl.lit('","tax_minor":'),
        pl.col("part_minor"),
        pl.lit("}"),
    )


def _included() -> pl.Expr:
    """Tax inside prices as the one part of its group, marked, for those who recompute it."""
    written = pl.concat_str(
        pl.lit('[{"label":"","percent":"'),
        plain_text(pl.col("tax_rate")),
        pl.lit('","tax_minor":'),
        pl.col("gross_minor") - pl.col("base_minor"),
        pl.lit(',"is_included":true}]'),
    )
    return pl.when(pl.col("gross_minor").is_not_null()).then(written)


def net_of_included_tax(lines: pl.DataFrame, document: list[str]) -> pl.DataFrame:
    """Take the tax out of lines whose prices contain it, document and rate at a time.

    The tax is the group's gross times rate / (100 + rate), rounded once; what is left is spread
    over the lines so that lines and tax together are the gross that was promised.
    Shape: same rows, same order; `net_minor` is net afterwards, `gross_minor` what was promised.
    """
    if not lines["is_included"].any():
        return lines.with_columns(gross_minor=pl.lit(None, pl.Int64))
    group = [*document, "tax_code", "tax_rate"]
    rate = pl.col("tax_rate").cast(AMOUNT)
    gross_sum = pl.col("net_minor").sum().over(group).cast(AMOUNT)
    whole = rate + pl.lit("100").cast(AMOUNT)
    tax = (gross_sum * rate / whole).round(0, mode="half_away_from_zero").cast(pl.Int64)
    exact = pl.col("net_minor").cast(AMOUNT) * pl.lit("100").cast(AMOUNT) / whole
    down = exact.floor().cast(pl.Int64)
    measured = lines.with_columns(
        _base=pl.col("net_minor").sum().over(group) - tax,
        _down=down,
        _rest=exact - down.cast(AMOUNT),
    )
    left_over = pl.col("_base") - pl.col("_down").sum().over(group)
    rank = pl.col("_rest").rank("ordinal", descending=True).over(group)
    is_raised = (rank <= left_over).cast(pl.Int64)
    net = pl.when("is_included").then(pl.col("_down") + is_raised).otherwise("net_minor")
    return measured.with_columns(
        net_minor=net, gross_minor=pl.when("is_included").then("net_minor")
    ).drop("_base", "_down", "_rest")
