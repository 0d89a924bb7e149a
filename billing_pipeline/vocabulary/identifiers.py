"""Names for keys, and keys that come out the same on every run."""

import hashlib
from typing import NewType

import polars as pl

TenantKey = NewType("TenantKey", str)
AccountKey = NewType("AccountKey", str)
SubscriptionKey = NewType("SubscriptionKey", str)
ProductKey = NewType("ProductKey", str)
PriceKey = NewType("PriceKey", str)
FeedKey = NewType("FeedKey", str)
FileKey = NewType("FileKey", str)
InvoiceNumber = NewType("InvoiceNumber", str)

KEY_SEPARATOR = "/"


def content_key(content: bytes) -> str:
    """Key of a piece of content: 32 hex digits of its SHA-256."""
    return hashlib.sha256(content).hexdigest()[:32]


def natural_key(*parts: pl.Expr) -> pl.Expr:
    """Join columns to a readable repeatable key.

    Shape: row by row. A null part stands as an empty string, so keys never become null.
    """
    return pl.concat_str([part.cast(pl.String).fill_null("") for part in parts], separator="/")
