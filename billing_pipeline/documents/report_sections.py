"""A financial report as figures, charts and tables of text, ready to be printed."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

import polars as pl

from billing_pipeline.accounting.report import FinancialReport
from billing_pipeline.documents.formats import Formats
from billing_pipeline.documents.report_charts import Bar, ColumnChart, bars, column_chart
from billing_pipeline.vocabulary.money import minor_exponent

_MOST_ROWS = 12
_ROLES = {
    "receivable": "Receivables",
    "deferred_revenue": "Deferred revenue",
    "accrued_revenue": "Unbilled revenue",
    "tax": "Tax payable",
    "supplier_accrual": "Supplier cost accrued",
    "intercompany_receivable": "Intercompany receivables",
    "intercompany_payable": "Intercompany payables",
}
_AGES = {
    "not_due_minor": "not due",
    "days_1_30_minor": "1 to 30 days",
    "days_31_60_minor": "31 to 60",
    "days_61_90_minor": "61 to 90",
    "over_90_minor": "over 90",
}


@dataclass(frozen=True)
class Table:
    """A table of text: the first `texts` columns read from the left, the others are figures."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    texts: int = 1
    total: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    """One part of the report; what it has nothing of is left out."""

    title: str
    note: str = ""
    columns: ColumnChart | None = None
    bars: tuple[Bar, ...] = ()
    table: Table | None = None


@dataclass(frozen=True)
class Headline:
    """One figure at the top."""

    caption: str
    value: str
    note: str = ""


def headlines(report: FinancialReport, currency: str, formats: Formats) -> tuple[Headline, ...]:
    """Revenue of the month, tax, receivables and what is deferred, in the tenant's currency."""
    own = pl.col("currency") == currency
    now = _revenue_of(report, own & (pl.col("month") == report.month))
    month_before = pl.lit(report.month).dt.offset_by("-1mo")
    before = _revenue_of(report, own & (pl.col("month") == month_before))
    change = f"{formats.money(now - before, currency)} against the month before"
    taxed = report.taxes.filter(own)["tax_minor"].sum()
    stands = dict(report.balances.filter(own).select("role", "balance_minor").rows())
    return (
        Headline("Revenue", formats.money(now, currency), change),
        Headline("Tax invoiced", formats.money(int(taxed), currency)),
        Headline("Receivables", formats.money(int(stands.get("receivable", 0)), currency)),
        Headline("Deferred", formats.money(-int(stands.get("deferred_revenue", 0)), currency)),
        Headline("Unbilled", formats.money(int(stands.get("accrued_revenue", 0)), currency)),
    )


def _revenue_of(report: FinancialReport, chosen: pl.Expr) -> int:
    return int(report.revenue.filter(chosen)["revenue_minor"].sum())


def sections(report: FinancialReport, currency: str, formats: Formats) -> tuple[Section, ...]:
    """Every part of the report that has something to say."""
    drawn = (
        _revenue(report, currency, formats),
        _categories(report, currency, formats),
        _members(report, currency, formats),
        _balances(report, formats),
        _taxes(report, formats),
        _aged(report, currency, formats),
        _margins(report, formats),
        _usage(report),
        _bill_runs(report, formats),
        _movers(report, formats),
    )
    return tuple(part for part in drawn if part.table or part.columns or part.bars)


def _revenue(report: FinancialReport, currency: str, formats: Formats) -> Section:
    own = report.revenue.filter(pl.col("currency") == currency)
    months = own.group_by("month").agg(pl.col("revenue_minor").sum()).sort("month").rows()
    points = [
        (f"{month:%b %Y}", int(minor), formats.figure(int(minor), currency))
        for month, minor in months
    ]
    products = (
        own.filter(pl.col("month") == report.month)
        .group_by("product_key")
        .agg(pl.col("revenue_minor").sum())
        .sort("revenue_minor", "product_key", descending=[True, False])
        .head(_MOST_ROWS)
        .rows()
    )
    by_product = bars(
        [
            (str(product or "without product"), int(minor), formats.figure(int(minor), currency))
            for product, minor in products
        ]
    )
    note = f"By month, and by product in {report.month:%B %Y}. In {currency}, net of tax."
    return Section("Revenue", note, column_chart(points), by_product)


def _categories(report: FinancialReport, currency: str, formats: Formats) -> Section:
    title = "Product categories"
    own = report.categories.filter(pl.col("currency") == currency)
    if own["category"].null_count() == own.height:
        return Section(title)
    rows = own.sort("revenue_minor", "category", descending=[True, False], nulls_last=True)
    points = [
        (name or "without category", int(minor), formats.figure(int(minor), currency))
        for name, minor in rows.select("category_name", "revenue_minor").rows()
    ]
    return Section(title, f"Revenue of the month in {currency}.", bars=bars(points))


def _members(report: FinancialReport, currency: str, formats: Formats) -> Section:
    now = report.revenue.filter(pl.col("currency") == currency, pl.col("month") == report.month)
    rows = (
        now.group_by("member_key")
        .agg(pl.col("revenue_minor").sum())
        .sort("revenue_minor", "member_key", descending=[True, False])
        .rows()
    )
    if len(rows) < 2:  # noqa: PLR2004 - one member is the tenant itself
        return Section("Brands and resellers")
    points = [(key, int(minor), formats.figure(int(minor), currency)) for key, minor in rows]
    return Section(
        "Brands and resellers", f"Revenue of the month in {currency}.", bars=bars(points)
    )


def _balances(report: FinancialReport, formats: Formats) -> Section:
    known = report.balances.filter(pl.col("role").is_in(list(_ROLES)))
    rows = [
        (_ROLES[role], currency, formats.figure(moved, currency), formats.figure(stands, currency))
        for role, currency, moved, stands in known.rows()
    ]
    table = _table(("Balance", "Currency", "Moved", "At the end"), rows, texts=2)
    return Section("Balances", "Debits positive, credits negative.", table=table)


def _taxes(report: FinancialReport, formats: Formats) -> Section:
    rows = [
        (
            f"{code} {rate.rstrip('0').rstrip('.')} %",
            currency,
            str(documents),
            formats.figure(base, currency),
            formats.figure(tax, currency),
        )
        for code, rate, currency, documents, base, tax in report.taxes.rows()
    ]
    table = _table(("Tax", "Currency", "Documents", "Net", "Tax"), rows, texts=2)
    return Section("Tax", "Invoiced in the month, credit notes subtracted.", table=table)


def _aged(report: FinancialReport, currency: str, formats: Formats) -> Section:
    own = report.aged.filter(pl.col("currency") == currency)
    sums = [(words, int(own[name].sum())) for name, words in _AGES.items()]
    chart = column_chart([(words, minor, formats.figure(minor, currency)) for words, minor in sums])
    ages = [*_AGES, "open_minor"]
    rows = [
        (f"{name or ''} ({key})", *(formats.figure(int(minor), currency) for minor in minors))
        for key, name, *minors in own.head(_MOST_ROWS).select("account_key", "name", *ages).rows()
    ]
    total = ("All accounts", *(formats.figure(int(own[name].sum()), currency) for name in ages))
    table = _table(("Account", *_AGES.values(), "open"), rows, total=total)
    note = f"What is open by the end of the month in {currency}, by days since it was due."
    return Section("Aged receivables", note, chart, table=table)


def _margins(report: FinancialReport, formats: Formats) -> Section:
    rows = [
        (
            row["rate_name"] or row["product_key"],
            row["supplier"] or "",
            row["currency"],
            f"{row['events']:,}",
            *(
                formats.figure(_rounded(row[name], row["currency"]), row["currency"])
                for name in ("revenue", "cost", "margin")
            ),
        )
        for row in report.margins.head(_MOST_ROWS).rows(named=True)
    ]
    head = ("Destination", "Supplier", "Currency", "Events", "Sold for", "Cost", "Margin")
    note = "Usage whose cost is known, the smallest margin first."
    return Section("Margin by destination and supplier", note, table=_table(head, rows, texts=3))


def _usage(report: FinancialReport) -> Section:
    by_day = report.usage.group_by("local_date").agg(pl.col("events").sum()).sort("local_date")
    points = [(str(day.day), int(events), f"{events:,}") for day, events in by_day.rows()]
    by_product = report.usage.group_by("product_key").agg(pl.col("events").sum())
    products = by_product.sort("events", "product_key", descending=[True, False]).rows()
    return Section(
        "Usage",
        "Rated events per day of the month, and by product.",
        column_chart(points),
        bars([(product, int(events), f"{events:,}") for product, events in products]),
    )


def _bill_runs(report: FinancialReport, formats: Formats) -> Section:
    rows = [
        (
            formats.date(row["bill_day"]),
            row["currency"],
            str(row["invoices"]),
            str(row["credit_notes"]),
            formats.figure(row["net_minor"], row["currency"]),
            formats.figure(row["previous_net_minor"] or 0, row["currency"]),
            f"{row['change_percent']} %" if row["change_percent"] else "",
        )
        for row in report.bill_runs.rows(named=True)
    ]
    head = ("Bill run", "Currency", "Invoices", "Credit notes", "Net", "Run before", "Change")
    return Section("Bill runs", "Each beside the one before.", table=_table(head, rows, texts=2))


def _movers(report: FinancialReport, formats: Formats) -> Section:
    rows = [
        (
            f"{row['name'] or ''} ({row['account_key']})",
            row["currency"],
            *(
                formats.figure(row[name], row["currency"])
                for name in ("previous_net_minor", "net_minor", "change_minor")
            ),
        )
        for row in report.movers.head(_MOST_ROWS).rows(named=True)
    ]
    head = ("Account", "Currency", "Month before", "This month", "Change")
    table = _table(head, rows, texts=2)
    return Section("Top movers", "Net invoiced, the largest change first.", table=table)


def _rounded(amount: Decimal, currency: str) -> int:
    """Minor units for a reader; the exact figures are in the table's file."""
    exact = amount.scaleb(minor_exponent(currency))
    return int(exact.to_integral_value(rounding=ROUND_HALF_UP))


def _table(
    head: Sequence[str],
    rows: Sequence[tuple[str, ...]],
    *,
    texts: int = 1,
    total: tuple[str, ...] = (),
) -> Table | None:
    return Table(tuple(head), tuple(rows), texts, total) if rows else None
