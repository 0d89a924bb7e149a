"""What both ways into SAP share: settings and field lengths."""

from typing import Annotated

import polars as pl
from pydantic import StringConstraints

from billing_pipeline.vocabulary.configuration import Configuration


class SapSettings(Configuration):
    """Company code, document type, and the user the documents are posted by."""

    company_code: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{1,4}$")]
    document_type: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{2}$")] = "SA"
    user_name: Annotated[str, StringConstraints(max_length=12)] = "BILLING"


def cut(column: str, length: int) -> pl.Expr:
    """A text cut to what the field holds."""
    return pl.col(column).str.head(length)
