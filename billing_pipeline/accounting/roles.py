"""The roles a posting can play, in the order they stand in an entry."""

ACCOUNT_CLASS_BY_ROLE: dict[str, str] = {
    "bank": "Assets",
    "bank_revaluation": "Assets",
    "receivable": "Assets",
    "accrued_revenue": "Assets",
    "intercompany_receivable": "Assets",
    "receivable_revaluation": "Assets",
    "revenue": "Income",
    "deferred_revenue": "Liabilities",
    "discount": "Income",
    "intercompany_revenue": "Income",
    "tax": "Liabilities",
    "exchange_difference": "Income",
    "supplier_cost": "Expenses",
    "write_off": "Expenses",
    "rounding": "Expenses",
    "intercompany_cost": "Expenses",
    "supplier_accrual": "Liabilities",
    "intercompany_payable": "Liabilities",
}
"""Class of the ledger accounts of every LedgerRole, in Beancount's five words."""

ROLE_RANK: dict[str, int] = {role: rank for rank, role in enumerate(ACCOUNT_CLASS_BY_ROLE)}
"""Where a role's posting stands in its entry."""
