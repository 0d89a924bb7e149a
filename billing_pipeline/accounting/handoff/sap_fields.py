"""What both ways into SAP share: settings and field lengths."""

from typing import Annotated

import polars as pl
from pydantic import StringConstraints

from billing_pipeline.vocabulary.configuration import Configuration


class SapSettings(Configuration):
    """Company code, document type, account group of customers, and who posts."""

    company_code: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{1,4}$")]
    document_type: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{2}$")] = "SA"
    customer_account_group: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{1,4}$")] = "KUNA"
    user_name: Annotated[str, StringConstraints(max_length=12)] = "BILLING"


def cut(column: str, length: int) -> pl.Expr:
    """A text cut to what the field holds."""
    return pl.col(column).str.head(length)


def segment(name: str, **fields: pl.Expr) -> pl.Expr:
    """A segment of an IDoc with its fields, as XML text."""
    cells = [
        pl.concat_str(pl.lit(f"<{field}>"), _escaped(value), pl.lit(f"</{field}>"))
        for field, value in fields.items()
    ]
    return pl.concat_str(pl.lit(f'<{name} SEGMENT="1">'), *cells, pl.lit(f"</{name}>"))


def _escaped(value: pl.Expr) -> pl.Expr:
    text = value.str.replace_all("[\\x00-\\x1f]", " ").str.replace_all("&", "&amp;", literal=True)
    return text.str.replace_all("<", "&lt;", literal=True).str.replace_all(
        ">", "&gt;", literal=True
    )
