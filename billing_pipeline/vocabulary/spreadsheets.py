"""Text on its way to a spreadsheet, which runs as a formula what looks like one."""

import polars as pl

_STARTS_A_FORMULA = r"^[=+\-@\t\r]"
# A signed number, or a telephone number as people write it, is what it is.
_IS_A_NUMBER = r"^[+\-]?[0-9][0-9 .,()/\-]*$"


def as_shown() -> pl.Expr:
    """Every text column, with an apostrophe before what would run as a formula.

    Shape: row by row. Source: OWASP, CSV injection.
    """
    text = pl.col(pl.String)
    is_formula = text.str.contains(_STARTS_A_FORMULA) & ~text.str.contains(_IS_A_NUMBER)
    return pl.when(is_formula).then("'" + text).otherwise(text).name.keep()
