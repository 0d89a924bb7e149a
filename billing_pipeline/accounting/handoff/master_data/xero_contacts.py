"""Xero: contacts by CSV import, at most 1,000 a file.

`*ContactName` is what the sales invoices name; a contact of that name is changed, any other is
made. Payment terms are days after the invoice. Roman letters are found best by Xero's search.
Sources: Xero Central, "Import contacts into Xero" and "Update multiple contacts' details in one
go"; the header is that of the template, as two public writers give it.
"""

import polars as pl

from billing_pipeline.accounting.handoff.master_data.customers import columns_bytes
from billing_pipeline.accounting.handoff.master_data.layout import CustomerBatch, CustomerLayout
from billing_pipeline.customers.tenant import Tenant

CONTACTS_PER_FILE = 1_000
_PERSON = ("FirstName", "LastName", "Email", "IncludeInEmail")
_COLUMNS = [
    *["*ContactName", "AccountNumber", "EmailAddress", "FirstName", "LastName"],
    *(
        f"{kind}{field}"
        for kind in ("PO", "SA")
        for field in [
            "AttentionTo",
            "AddressLine1",
            "AddressLine2",
            "AddressLine3",
            "AddressLine4",
            "City",
            "Region",
            "PostalCode",
            "Country",
        ]
    ),
    *[
        "PhoneNumber",
        "FaxNumber",
        "MobileNumber",
        "DDINumber",
        "SkypeName",
        "BankAccountName",
        "BankAccountNumber",
        "BankAccountParticulars",
        "TaxNumber",
        "AccountsReceivableTaxCodeName",
        "AccountsPayableTaxCodeName",
        "Website",
        "LegalName",
        "Discount",
        "CompanyNumber",
        "DueDateBillDay",
        "DueDateBillTerm",
        "DueDateSalesDay",
        "DueDateSalesTerm",
        "SalesAccount",
        "PurchasesAccount",
        "TrackingName1",
        "SalesTrackingOption1",
        "PurchasesTrackingOption1",
        "TrackingName2",
        "SalesTrackingOption2",
        "PurchasesTrackingOption2",
        "BrandingTheme",
        "DefaultTaxBills",
        "DefaultTaxSales",
    ],
    *(f"Person{number}{field}" for number in range(1, 6) for field in _PERSON),
]


def render(customers: pl.DataFrame, batch: CustomerBatch, tenant: Tenant) -> bytes:  # noqa: ARG001
    """One row per contact."""
    return columns_bytes(
        customers,
        _COLUMNS,
        {
            "*ContactName": pl.col("customer"),
            "AccountNumber": pl.col("account_key"),
            "EmailAddress": pl.col("email"),
            "POAttentionTo": pl.col("name"),
            "POAddressLine1": pl.col("street"),
            "POCity": pl.col("city"),
            "PORegion": pl.col("region"),
            "POPostalCode": pl.col("postal_code"),
            "POCountry": pl.col("country"),
            "TaxNumber": pl.col("vat_number"),
            "LegalName": pl.col("name"),
            "DueDateSalesDay": pl.col("payment_terms_days").cast(pl.String),
            "DueDateSalesTerm": pl.lit("Days After"),
        },
    )


LAYOUT = CustomerLayout(title="Xero contacts", suffix=".csv", render=render, most=CONTACTS_PER_FILE)
