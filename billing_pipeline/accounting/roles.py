"""The roles a posting can play, and the class of ledger account each belongs to."""

ACCOUNT_CLASS_BY_ROLE = {
    "receivable": "Assets",
    "revenue": "Income",
    "tax": "Liabilities",
}
"""Class of the ledger account by role, in Beancount's five words."""

ROLE_ORDER = tuple(ACCOUNT_CLASS_BY_ROLE)
"""Order of the postings of an entry."""
