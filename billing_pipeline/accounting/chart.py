"""Roles to ledger accounts: the tenant's chart as rules, the most specific one wins."""

import polars as pl

from billing_pipeline.catalog.catalog import Catalog
from billing_pipeline.customers.tenant import LedgerRule, Tenant
from billing_pipeline.vocabulary.frames import FrameSchema, optional, required
from billing_pipeline.vocabulary.money import plain_text

_CONDITIONS = ("product", "tax", "currency", "customer_group")

LEDGER_RULES = FrameSchema(
    name="ledger_rules",
    grain="one row per rule, most specific first",
    columns={
        "role": required(pl.String, "role the rule is for"),
        "ledger_account": required(pl.String, "account of the tenant's chart"),
        "cost_centre": optional(pl.String, "cost centre of the tenant's chart"),
        **{name: optional(pl.String, "condition; null fits all") for name in _CONDITIONS},
        "rank": required(pl.Int64, "the lowest that fits wins"),
    },
)


class UnknownLedgerAccount(Exception):
    """A posting has a role for which the tenant's chart names no ledger account."""


def with_category_rules(tenant: Tenant, catalog: Catalog) -> Tenant:
    """The tenant with its ledger rules for product categories spelled out by product."""
    rules = tenant.ledger_accounts.rules
    if all(rule.category is None for rule in rules):
        return tenant
    spelled = [
        rule.model_copy(update={"product": product})
        for rule in rules
        for product in (
            (rule.product,) if rule.category is None else catalog.products_of(rule.category)
        )
    ]
    chart = tenant.ledger_accounts.model_copy(update={"rules": spelled})
    return tenant.model_copy(update={"ledger_accounts": chart})


def ledger_rules(tenant: Tenant) -> pl.DataFrame:
    """The tenant's chart as LEDGER_RULES: own rules, then accounts by product and by role.

    A rule for a category that `with_category_rules` has not spelled out fits nothing.
    """
    chart = tenant.ledger_accounts
    by_role = {
        "receivable": chart.receivable,
        "revenue": chart.revenue,
        "tax": chart.tax,
        **chart.by_role,
    }
    general = [
        LedgerRule.model_validate({"role": role, "ledger_account": account})
        for role, account in by_role.items()
    ]
    by_product = [
        LedgerRule(role="revenue", ledger_account=account, product=product)
        for product, account in chart.revenue_by_product.items()
    ]
    own = [rule for rule in chart.rules if rule.category is None or rule.product is not None]
    ranked = sorted([*own, *by_product, *general], key=_generality)
    rows = [
        {**rule.model_dump(exclude={"category"}), "rank": rank} for rank, rule in enumerate(ranked)
    ]
    return LEDGER_RULES.conform(pl.DataFrame(rows, schema=LEDGER_RULES.polars_schema))


def with_ledger_accounts(sides: pl.DataFrame, tenant: Tenant) -> pl.DataFrame:
    """Give every side its `ledger_account` and `cost_centre`.

    Args:
        sides: entry_key, role, and where they apply product_key, tax_code, tax_rate, currency
            and customer_group.
        tenant: whose chart it is.

    Raises: UnknownLedgerAccount that names role and entry.
    """
    facts = sides.with_columns(
        product=pl.col("product_key"),
        tax=tax_key(),
    )
    keys = facts.select("role", *_CONDITIONS).unique()
    fits = pl.all_horizontal(
        pl.col(f"{name}_rule").is_null() | pl.col(name).eq_missing(pl.col(f"{name}_rule"))
        for name in _CONDITIONS
    )
    chosen = (
        keys.join(ledger_rules(tenant), on="role", suffix="_rule", how="inner")
        .filter(fits)
        .sort("rank")
        .unique(["role", *_CONDITIONS], keep="first", maintain_order=True)
        .select("role", *_CONDITIONS, "ledger_account", "cost_centre")
    )
    placed = facts.join(
        chosen, on=["role", *_CONDITIONS], how="left", nulls_equal=True, validate="m:1"
    )
    _refuse_unknown(placed)
    return placed


def tax_key() -> pl.Expr:
    """Key of a tax in a tenant's configuration, e.g. S/20 or S/5.5; null without tax."""
    return pl.concat_str("tax_code", plain_text(pl.col("tax_rate")), separator="/")


def has_role(tenant: Tenant, role: str) -> bool:
    """Whether the tenant's chart names an account for this role."""
    return role in ledger_rules(tenant).get_column("role")


def covers(tenant: Tenant, role: str) -> pl.Expr:
    """Whether the tenant's chart has an account for this role of a side without product and tax.

    Shape: row by row; the frame has currency and customer_group.
    """
    asked = ["currency", "customer_group"]
    rules = ledger_rules(tenant).filter(
        pl.col("role") == role, pl.col("product").is_null(), pl.col("tax").is_null()
    )
    fits = [
        pl.all_horizontal(
            pl.lit(value=True),
            *(pl.col(name).eq_missing(pl.lit(wanted)) for name, wanted in rule.items() if wanted),
        )
        for rule in rules.select(asked).rows(named=True)
    ]
    return pl.any_horizontal(pl.lit(value=False), *fits)


def _generality(rule: LedgerRule) -> tuple[int, bool]:
    """Conditions a rule leaves open; of as many a rule for a category comes after the others."""
    return sum(getattr(rule, name) is None for name in _CONDITIONS), rule.category is not None


def _refuse_unknown(placed: pl.DataFrame) -> None:
    unknown = placed.filter(pl.col("ledger_account").is_null()).sort("entry_key")
    if not unknown.is_empty():
        role, entry = unknown.select("role", "entry_key").row(0)
        raise UnknownLedgerAccount(
            f"{entry}: no ledger account for {role}; add it to ledger_accounts.by_role in "
            f"tenant.yaml ({unknown.height} postings concerned)"
        )
