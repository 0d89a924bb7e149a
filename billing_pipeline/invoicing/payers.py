"""Who pays: an account bills itself, or is paid by another account, to any depth."""

import polars as pl

MAX_DEPTH = 32


class PayerCycle(Exception):
    """Accounts name each other as payers in a circle, so nobody pays."""


def paying_accounts(accounts: pl.DataFrame) -> pl.DataFrame:
    """The account at the end of every account's chain of payers.

    Shape: one row per account, `account_key` and `payer_key`; the payer is null where a chain
    leaves the known accounts.
    Raises: PayerCycle if a chain has no end within `MAX_DEPTH` accounts.
    """
    step = accounts.select("account_key", next_payer="payer_key")
    payers = accounts.select("account_key", "payer_key")
    for _ in range(MAX_DEPTH):
        further = payers.join(
            step,
            left_on="payer_key",
            right_on="account_key",
            how="left",
            validate="m:1",
            maintain_order="left",
        ).select("account_key", payer_key="next_payer")
        moving = payers.filter(further["payer_key"].ne_missing(payers["payer_key"]))
        if moving.is_empty():
            return payers
        payers = further
    raise PayerCycle(f"payers in a circle: {moving['account_key'].sort().to_list()[:10]}")
