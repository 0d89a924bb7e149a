"""What DATEV wants to know of the company, for postings and debtors."""

import datetime as dt
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from billing_pipeline.vocabulary.configuration import Configuration

NAME = "datev"


class DatevSettings(Configuration):
    """What identifies the books at DATEV, and how its chart is laid out."""

    consultant_number: int = Field(ge=1001, le=9_999_999, description="Beraternummer")
    client_number: int = Field(ge=1, le=99_999, description="Mandantennummer")
    account_length: int = Field(default=4, ge=4, le=8, description="Sachkontenlänge")
    fiscal_year_month: int = Field(default=1, ge=1, le=12, description="month it starts in")
    chart: Annotated[str, StringConstraints(pattern=r"^\d{2}$")] = "03"
    automatic_accounts: str = Field(default="", description="revenue accounts, comma separated")
    debtors: Literal["collective", "own"] = Field(
        default="collective",
        description="post on the receivable account, or on each customer's debtor account",
    )

    @property
    def debtor_account(self) -> str:
        """What a debtor's account looks like: a digit more than the chart's, first 1 to 6."""
        return rf"^[1-6]\d{{{self.account_length}}}$"

    def fiscal_year_start(self, day: dt.date) -> dt.date:
        """First day of the fiscal year a day lies in."""
        year = day.year - (day.month < self.fiscal_year_month)
        return dt.date(year, self.fiscal_year_month, 1)
