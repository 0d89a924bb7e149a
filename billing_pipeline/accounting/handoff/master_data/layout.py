"""What a layout of customers is, and a numbered batch of them."""

import datetime as dt
import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from billing_pipeline.customers.tenant import Tenant


@dataclass(frozen=True)
class CustomerBatch:
    """Which customers one file holds. `batch_number` is gapless per tenant and format.

    `created_at` is stored with the batch, so that rendering it again gives the same bytes.
    """

    tenant_key: str
    format_name: str
    batch_number: int
    created_at: dt.datetime
    customers: int

    @property
    def reference(self) -> str:
        """Name of the batch for people and for the target system."""
        return f"{self.tenant_key}-{self.format_name}-customers-{self.batch_number:06d}"


@dataclass(frozen=True)
class CustomerFile:
    """A rendered batch of customers."""

    batch: CustomerBatch
    file_name: str
    content: bytes

    @property
    def sha256(self) -> str:
        """64 hex digits over the file's bytes."""
        return hashlib.sha256(self.content).hexdigest()


def _always(tenant: Tenant) -> bool:  # noqa: ARG001
    """The target wants customers, whatever the tenant's settings."""
    return True


def _as_it_is(name: pl.Expr) -> pl.Expr:
    """The target tells names apart as we do."""
    return name


@dataclass(frozen=True)
class CustomerLayout:
    """One accounting system's import file of customers.

    `render` is a pure function of CUSTOMERS, batch and tenant: equal input, equal bytes.
    `most` is how many one file may hold; `is_wanted` says whether this tenant's files name
    customers at all; `spelled` is how a customer's name stands in the file.
    """

    title: str
    suffix: str
    render: Callable[[pl.DataFrame, CustomerBatch, Tenant], bytes]
    most: int = 100_000
    prefix: str = ""
    is_wanted: Callable[[Tenant], bool] = _always
    spelled: Callable[[pl.Expr], pl.Expr] = _as_it_is

    def file_name(self, batch: CustomerBatch) -> str:
        """Name of the batch's file."""
        return f"{self.prefix}{batch.reference}{self.suffix}"

    def file(self, customers: pl.DataFrame, batch: CustomerBatch, tenant: Tenant) -> CustomerFile:
        """The batch's file.

        Raises: MappingRefused naming the customers the target could not take.
        """
        return CustomerFile(batch, self.file_name(batch), self.render(customers, batch, tenant))
