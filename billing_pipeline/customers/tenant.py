"""A tenant: who issues the invoices, in which currency, zone and language (`tenant.yaml`)."""

from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, field_validator, model_validator

from billing_pipeline.customers.policies import (
    BillingPolicy,
    ControlSetting,
    ExchangeRate,
    IntercompanySupply,
    MonthEnd,
    RetentionPolicy,
    SuspensePolicy,
)
from billing_pipeline.vocabulary.check_digits import plain_creditor
from billing_pipeline.vocabulary.configuration import (
    Configuration,
    CountryCode,
    CurrencyCode,
    Key,
    time_zones,
)
from billing_pipeline.vocabulary.locales import LocaleName, words_in
from billing_pipeline.vocabulary.periods import Interval


class LegalEntity(Configuration):
    """The company that stands on the invoice as seller."""

    name: str
    street: str
    city: str
    postal_code: str
    region: str | None = None
    country: CountryCode
    vat_number: str | None = None
    tax_currency: CurrencyCode | None = Field(
        default=None, description="also state the tax in it, where the law asks (BT-6)"
    )
    electronic_address: str | None = Field(
        default=None, description="scheme:identifier of the seller, e.g. 9930:DE123456788 (BT-34)"
    )
    tax_number: str | None = None
    registration: str | None = None
    email: str
    phone: str | None = None
    website: str | None = None
    bank_name: str | None = None
    iban: str | None = None
    bic: str | None = None
    bank_account: str | None = None
    creditor_identifier: Annotated[str, AfterValidator(plain_creditor)] | None = Field(
        default=None, description="who collects direct debits, e.g. DE98ZZZ09999999999 (BT-90)"
    )


class NumberSeries(Configuration):
    """How documents of one kind are numbered: gapless per series and year."""

    pattern: str = Field(
        default="INV-{year}-{number:06d}",
        description="Python format with {year} and {number}",
    )

    @field_validator("pattern")
    @classmethod
    def _has_a_number(cls, pattern: str) -> str:
        try:
            if pattern.format(year=2000, number=1) == pattern.format(year=2000, number=2):
                raise ValueError("the pattern must contain {number}")
        except (KeyError, IndexError) as error:
            raise ValueError("only {year} and {number} may stand in the pattern") from error
        return pattern


LedgerRole = Literal[
    "bank",
    "bank_revaluation",
    "receivable",
    "accrued_revenue",
    "intercompany_receivable",
    "revenue",
    "deferred_revenue",
    "discount",
    "intercompany_revenue",
    "tax",
    "supplier_cost",
    "write_off",
    "rounding",
    "intercompany_cost",
    "supplier_accrual",
    "intercompany_payable",
    "receivable_revaluation",
    "exchange_difference",
]
"""What a posting is for; posting rules name roles, the tenant's chart turns them into accounts."""


class LedgerRule(Configuration):
    """The ledger account of postings that match; the rule with most conditions wins."""

    role: LedgerRole
    ledger_account: str
    cost_centre: str | None = None
    product: Key | None = None
    category: Key | None = Field(
        default=None, description="product category; a rule for a product itself goes before"
    )
    tax: str | None = Field(default=None, description="tax code and rate, e.g. S/20")
    currency: CurrencyCode | None = None
    customer_group: str | None = Field(default=None, description="account_type of accounts.csv")

    @model_validator(mode="after")
    def _is_for_a_product_or_a_category(self) -> Self:
        if self.product is not None and self.category is not None:
            raise ValueError("give either product or category")
        return self


class LedgerAccounts(Configuration):
    """Accounts of the tenant's chart that posting rules use by role."""

    receivable: str
    revenue: str
    tax: str
    revenue_by_product: dict[Key, str] = {}
    by_role: dict[LedgerRole, str] = Field(
        default={}, description="further roles; deferred_revenue turns deferral on"
    )
    rounding_up_to_minor: int = Field(
        default=0, ge=0, description="write-offs up to this many minor units go to rounding"
    )
    rules: list[LedgerRule] = Field(
        default=[], description="exceptions by product, tax, currency and customer group"
    )


class HandoffMapping(Configuration):
    """How one accounting system names what the journal names; empty: by the same name."""

    ledger_accounts: dict[str, str] = Field(
        default={}, description="ledger account -> its code or name in that system"
    )
    account_labels: dict[str, str] = Field(
        default={}, description="ledger account -> its label, for formats that show one"
    )
    customers: dict[str, str] = Field(
        default={}, description="account_key -> customer or debtor in that system"
    )
    tax_codes: dict[str, str] = Field(
        default={}, description="tax code and rate as in S/20 -> tax code in that system"
    )
    settings: dict[str, str] = Field(
        default={}, description="what the format itself asks for; see its module"
    )


ContactField = Literal["email", "vat_number", "region", "agent"]
"""What accounts.csv may leave empty and an account type may ask for."""


PaymentMethod = Literal["bank_transfer", "direct_debit", "card"]


class AccountType(Configuration):
    """What all accounts of one type have in common; accounts.csv names it by its key."""

    key: Key
    kind: Literal["individual", "business", "reseller"] = "business"
    required: list[ContactField] = Field(
        default=[], description="columns of accounts.csv that must not be empty"
    )
    payment_terms_days: int | None = Field(
        default=None, ge=0, le=365, description="terms of accounts that have none of their own"
    )
    cycles: list[Interval] = Field(
        default=[], description="billing cycles its plans may have; empty is all"
    )
    payment_methods: list[PaymentMethod] = Field(
        default=[], description="how its accounts may pay, the first unless they say; empty is all"
    )


InvoiceSections = Literal["account", "subscription", "product", "section", "category"]

EInvoiceProfile = Literal["en16931", "xrechnung", "peppol"]

DocumentFile = Literal["itemisation", "itemisation_parquet", "ubl", "cii", "json", "email"]


class BrandWords(Configuration):
    """What a brand says on its documents in one language."""

    tagline: str | None = None
    message: str | None = None


class Branding(Configuration):
    """What makes the documents the tenant's own."""

    colour: str = Field(default="#1f3a5f", pattern=r"^#[0-9a-fA-F]{6}$")
    accent: str = Field(default="#c8102e", pattern=r"^#[0-9a-fA-F]{6}$")
    tagline: str | None = None
    paper: Literal["A4", "Letter"] = "A4"
    message: str | None = Field(default=None, description="free text at the end of an invoice")


class Tenant(Configuration):
    """One brand, reseller or the company above them."""

    key: Key
    name: str
    kind: Literal["company", "brand", "reseller"] = "brand"
    parent: Key | None = None
    inherits_catalog: bool = Field(
        default=False, description="sells what the parent sells; its own of one key goes before"
    )
    legal_entity: LegalEntity
    currency: CurrencyCode
    time_zone: str
    locale: str = "en_US"
    bill_hour: int = Field(default=2, ge=0, le=23, description="local hour bill runs are due")
    payment_terms_days: int = Field(default=14, ge=0, le=365)
    account_types: list[AccountType] = Field(
        default=[], description="types accounts may have; empty: any word, nothing is asked"
    )
    einvoice_profile: EInvoiceProfile = "en16931"
    document_files: list[DocumentFile] = Field(
        default=["itemisation"], description="what is made of a document beside the PDF"
    )
    invoice_sections: InvoiceSections = Field(
        default="account", description="what the lines of a document are gathered by"
    )
    invoice_lines: Literal["charge", "product", "transaction", "unit_price"] = Field(
        default="charge",
        description="what a line is; transaction: one per usage event, unit_price: one per price of"
        " a unit, up to 200 a charge",
    )
    vat_number_check: Literal["structure", "digits"] = Field(
        default="structure", description="digits: check digits too, by the extra `vat`"
    )
    tax_engine: Key | None = Field(
        default=None, description="entry point of billing_pipeline.tax_engines; taxes.yaml if none"
    )
    billing_policy: BillingPolicy = BillingPolicy()
    suspense: SuspensePolicy = SuspensePolicy()
    retention: RetentionPolicy = RetentionPolicy()
    look_back_periods: int | None = Field(
        default=None, ge=1, description="billing periods a run corrects; None is all of them"
    )
    invoice_series: NumberSeries = NumberSeries()
    credit_note_series: NumberSeries = NumberSeries(pattern="CN-{year}-{number:06d}")
    ledger_accounts: LedgerAccounts
    handoff_formats: list[str] = ["journal_csv"]
    handoff_mappings: dict[Key, HandoffMapping] = Field(
        default={}, description="per hand-off format"
    )
    controls: dict[Key, ControlSetting] = Field(
        default={}, description="controls that differ from their defaults, by name"
    )
    exchange_rates: list[ExchangeRate] = []
    intercompany: list[IntercompanySupply] = []
    month_end: MonthEnd = MonthEnd()
    branding: Branding = Branding()
    branding_in_locales: dict[LocaleName, BrandWords] = Field(
        default={}, description="tagline and message by locale (en_GB) or language (en)"
    )

    @field_validator("time_zone")
    @classmethod
    def _is_a_zone(cls, name: str) -> str:
        if name not in time_zones():
            raise ValueError(f"{name!r} is not an IANA time zone such as Europe/London")
        return name

    @field_validator("account_types")
    @classmethod
    def _types_are_named_once(cls, types: list[AccountType]) -> list[AccountType]:
        keys = [account_type.key for account_type in types]
        if len(set(keys)) < len(keys):
            raise ValueError("two account types have the same key")
        return types

    def branding_in(self, locale: str) -> Branding:
        """The brand, each of its words in the locale, else in its language, else as it is."""
        return self.branding.model_copy(update=words_in(self.branding_in_locales, locale))

    @property
    def zone(self) -> ZoneInfo:
        """The tenant's time zone."""
        return ZoneInfo(self.time_zone)
