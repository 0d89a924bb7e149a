"""Documents as sales rows with net and tax each, for targets that take invoices, not journals."""

import polars as pl

from billing_pipeline.accounting.handoff.format import refuse

_DOCUMENT_RULES = ["invoice", "credit_note"]
_GROUP = ["entry_number", "tax_code", "tax_rate"]


def sales_rows(journal: pl.DataFrame, target: str) -> pl.DataFrame:
    """One row per product and tax of a document, with its share of the document's tax.

    Args:
        journal: JOURNAL rows.
        target: name of the system, for the message.

    Shape: the posting's columns; `net_minor` and `tax_minor` are signed as on the document.
    The tax of a rate is split over its rows by their running sum, so that it sums exactly.
    Raises: MappingRefused for entries that are no documents.
    """
    refuse(
        journal,
        ~pl.col("posting_rule").is_in(_DOCUMENT_RULES),
        f"{target} takes invoices and credit notes only: hand other entries over in a journal "
        "format.",
    )
    sold = journal.filter(~pl.col("role").is_in(["receivable", "tax"])).with_columns(
        net_minor=-pl.col("amount_minor")
    )
    taxes = journal.filter(pl.col("role") == "tax").select(*_GROUP, tax=-pl.col("amount_minor"))
    rows = sold.join(taxes, on=_GROUP, how="left", nulls_equal=True, validate="m:1")
    return (
        rows.with_columns(pl.col("tax").fill_null(0))
        .with_columns(upto=_tax_of_first_rows())
        .with_columns(tax_minor=pl.col("upto") - pl.col("upto").shift(fill_value=0).over(_GROUP))
        .drop("tax", "upto", "amount_minor")
        .sort("entry_number", "posting_number")
    )


def _tax_of_first_rows() -> pl.Expr:
    """Tax on the rows of a group up to this one, rounded once; on the last row the whole tax."""
    # 128 bits: a tax times a net does not fit 64.
    net = pl.col("net_minor").cast(pl.Int128)
    whole = net.sum().over(_GROUP)
    share = pl.col("tax").cast(pl.Int128) * net.cum_sum().over(_GROUP)
    rounded = (2 * share.abs() + whole.abs()) // (2 * whole.abs())
    # A group whose rows cancel out has no share to go by: its tax stands on the last row.
    part = pl.when(whole == 0).then(pl.lit(0)).otherwise(share.sign() * whole.sign() * rounded)
    is_last = pl.col("posting_number") == pl.col("posting_number").max().over(_GROUP)
    return pl.when(is_last).then("tax").otherwise(part.cast(pl.Int64))
