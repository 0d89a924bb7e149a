"""The journal as a Beancount ledger: `bean-check` proves it with rules that are not ours.

Every account is opened, no rounding is tolerated, and the closing balance of every account and
currency is asserted from our own totals. A file stands alone: balances are those of its entries.
Source: Beancount Language Syntax (beancount.github.io/docs), checked with bean-check 3.2.
"""

import polars as pl

from billing_pipeline.accounting.handoff.batch import HandoffBatch
from billing_pipeline.accounting.handoff.fields import decimal_text, mapped_account
from billing_pipeline.accounting.handoff.format import HandoffFormat, mapping_of, refuse
from billing_pipeline.accounting.roles import ACCOUNT_CLASS_BY_ROLE
from billing_pipeline.customers.tenant import Tenant


def render(journal: pl.DataFrame, batch: HandoffBatch, tenant: Tenant) -> bytes:
    """Options, accounts, transactions, closing balances."""
    currencies = journal.get_column("currency").unique().sort().to_list()
    rows = _with_accounts(journal, tenant).with_columns(
        amount=decimal_text(pl.col("amount_minor"), currencies)
    )
    options = [
        f'option "title" "{_escaped(tenant.name)} {batch.reference}"',
        f'option "operating_currency" "{tenant.currency}"',
        'option "tolerance_multiplier" "0"',
        *(f'option "inferred_tolerance_default" "{currency}:0"' for currency in currencies),
    ]
    blocks = [options, _opens(rows), _transactions(rows), _balances(rows, currencies)]
    return ("\n\n".join("\n".join(block) for block in blocks) + "\n").encode()


def _with_accounts(journal: pl.DataFrame, tenant: Tenant) -> pl.DataFrame:
    mapped = mapped_account(mapping_of(tenant, "beancount"))
    segment = mapped.str.replace_all("[^A-Za-z0-9]+", "-").str.strip_chars("-")
    root = pl.col("role").replace_strict(
        ACCOUNT_CLASS_BY_ROLE, default=None, return_dtype=pl.String
    )
    refuse(journal, root.is_null(), "the role of a posting has no account class in Beancount.")
    account = pl.concat_str(
        root, pl.lit(":"), segment.str.head(1).str.to_uppercase(), segment.str.slice(1)
    )
    rows = journal.with_columns(account=account)
    ambiguous = pl.col("ledger_account").n_unique().over("account") > 1
    refuse(rows, ambiguous, "two ledger accounts have one name in Beancount: map them.")
    return rows


def _opens(rows: pl.DataFrame) -> list[str]:
    opened = pl.col("booked_date").min().dt.to_string("%Y-%m-%d")
    accounts = rows.select(pl.col("account").unique().sort(), opened=opened)
    line = pl.concat_str("opened", pl.lit(" open "), "account")
    return accounts.select(line).to_series().to_list()


def _transactions(rows: pl.DataFrame) -> list[str]:
    posting = pl.concat_str(
        pl.lit("  "), "account", pl.lit("  "), "amount", pl.lit(" "), "currency"
    )
    head = pl.concat_str(
        pl.col("booked_date").dt.to_string("%Y-%m-%d"),
        pl.lit(' * "'),
        _escape(pl.col("narration")),
        pl.lit('"\n  entry: "'),
        pl.col("entry_number").cast(pl.String),
        pl.lit('"\n  source: "'),
        _escape(pl.col("source_key")),
        pl.lit('"\n'),
    )
    entries = rows.group_by("entry_number", maintain_order=True).agg(
        head=head.first(), body=posting.str.join("\n")
    )
    return entries.select(pl.concat_str("head", "body", pl.lit("\n"))).to_series().to_list()


def _balances(rows: pl.DataFrame, currencies: list[str]) -> list[str]:
    closing = rows.select((pl.col("booked_date").max().dt.offset_by("1d")).dt.to_string("%Y-%m-%d"))
    totals = (
        rows.group_by("account", "currency")
        .agg(pl.col("amount_minor").sum())
        .sort("account", "currency")
    )
    line = pl.concat_str(
        pl.lit(f"{closing.item()} balance "),
        "account",
        pl.lit("  "),
        decimal_text(pl.col("amount_minor"), currencies),
        pl.lit(" "),
        "currency",
    )
    return totals.select(line).to_series().to_list()


def _escape(text: pl.Expr) -> pl.Expr:
    return text.str.replace_all(r"[\r\n]+", " ").str.replace_all(r"([\\\"])", r"\$1")


def _escaped(text: str) -> str:
    return str(pl.select(_escape(pl.lit(text))).item())


FORMAT = HandoffFormat(
    name="beancount",
    title="Beancount ledger",
    suffix=".beancount",
    media_type="text/plain",
    render=render,
)
