"""Tax rates with validity, and when reverse charge applies (`taxes.yaml`)."""

import datetime as dt
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, model_validator

from billing_pipeline.vocabulary.configuration import Configuration, CountryCode, Key
from billing_pipeline.vocabulary.locales import LocaleName, words_in

TaxCode = Literal["S", "Z", "E", "AE", "K", "G", "O"]


class TaxPart(Configuration):
    """One of several taxes that stand beside each other, each of the same base."""

    label: str = Field(description="name on the invoice, e.g. GST 5 %")
    percent: Annotated[Decimal, Field(ge=0, le=100, decimal_places=4)]


class TaxWords(Configuration):
    """What a tax is called and why it is not charged, in one language."""

    label: str | None = None
    exemption: str | None = None


class TaxRate(Configuration):
    """One rate for customers of one country (or region) and one product tax category."""

    key: Key
    category: Key = "standard"
    country: CountryCode | None = Field(default=None, description="None: any other country")
    region: str | None = None
    tax_code: TaxCode = Field(description="EN 16931 category (UNCL 5305)")
    percent: Annotated[Decimal, Field(ge=0, le=100, decimal_places=4)]
    label: str = Field(description="name on the invoice, e.g. VAT 20 %")
    exemption: str | None = Field(default=None, description="words the law asks for")
    in_locales: dict[LocaleName, TaxWords] = Field(
        default={}, description="label and exemption by locale (en_GB) or language (en)"
    )
    requires_vat_number: bool = Field(
        default=False, description="only for customers with a VAT number, e.g. reverse charge"
    )
    valid_from: dt.date = dt.date(2000, 1, 1)
    valid_until: dt.date | None = None
    is_included: bool = Field(default=False, description="prices of these lines contain the tax")
    parts: list[TaxPart] = Field(
        default=[], description="stacked taxes, e.g. state and county; they sum to percent"
    )

    def words_in(self, locale: str) -> TaxWords:
        """Label and exemption, each in the locale, else in its language, else as it is."""
        own = {"label": self.label, "exemption": self.exemption}
        spoken = words_in(self.in_locales, locale)
        return TaxWords.model_validate(
            own | {name: word for name, word in spoken.items() if word != ""}
        )

    @model_validator(mode="after")
    def _is_the_sum_of_its_parts(self) -> "TaxRate":
        together = sum((part.percent for part in self.parts), Decimal(0))
        if self.parts and together != self.percent:
            raise ValueError(f"percent is {self.percent}, but its parts sum to {together}")
        if self.parts and self.is_included:
            raise ValueError("stacked taxes are added to prices; leave out is_included")
        return self


class Taxes(Configuration):
    """The file `taxes.yaml`: the first rate that fits a line, most specific first, is taken."""

    tax_rates: list[TaxRate]
