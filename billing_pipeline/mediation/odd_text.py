"""Characters of identifiers that people do not see: left out of the look-up, and remarked on.

The record keeps them: its raw text is in the archive, and its identity is made of what it says.
"""

import polars as pl

ODD_CHARACTERS = "odd_characters"
"""The remark on a record whose identifier or number has them, or mixes alphabets."""

_INVISIBLE = r"[\u00a0\u00ad\u200b-\u200f\u202a-\u202f\u2060-\u2064\u2066-\u2069\ufeff]"
_PLAIN = r"^[\x00-\x7f]*$"
# Look-alikes: a Cyrillic or Greek letter among Latin ones is no slip of the pen.
_MIXED = r"[A-Za-z].*[\p{Cyrillic}\p{Greek}]|[\p{Cyrillic}\p{Greek}].*[A-Za-z]"


def is_plain(text: pl.Series) -> bool:
    """Whether all texts are ASCII, which most are: then nothing is to be done."""
    return bool(text.str.contains(_PLAIN).fill_null(value=True).all())


def to_look_up(text: pl.Expr) -> pl.Expr:
    """The text as identifiers are kept: composed (NFC), without invisible characters."""
    return text.str.normalize("NFC").str.replace_all(_INVISIBLE, "")


def odd_texts(texts: list[pl.Series]) -> pl.Series | None:
    """The remark where any of a record's texts is not what it looks like; None if nowhere."""
    odd = [_is_odd(text) for text in texts if not is_plain(text)]
    if not odd or not any(one.any() for one in odd):
        return None
    frame = pl.DataFrame([one.alias(str(at)) for at, one in enumerate(odd)])
    return frame.select(
        pl.when(pl.any_horizontal(pl.all())).then(pl.lit(ODD_CHARACTERS))
    ).to_series()


def _is_odd(text: pl.Series) -> pl.Series:
    given = pl.col("text")
    changed = given != to_look_up(given)
    odd = text.alias("text").to_frame().select(changed | given.str.contains(_MIXED))
    return odd.to_series().fill_null(value=False)
