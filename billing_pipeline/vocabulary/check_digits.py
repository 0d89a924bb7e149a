"""Check digits of bank identifiers: ISO 7064, MOD 97-10."""

import re

_IDENTIFIER = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{3}[A-Z0-9]{1,28}")
_MODULUS, _BASE = 97, 36


def plain_creditor(text: str) -> str:
    """A SEPA creditor identifier without blanks, in capitals, once its check digits are right.

    The business code (positions 5 to 7) is not in the check. Source: EPC262-08, "Creditor
    Identifier Overview". Raises: ValueError.
    """
    plain = "".join(text.split()).upper()
    moved = plain[7:] + plain[:4]
    if not _IDENTIFIER.fullmatch(plain) or _as_number(moved) % _MODULUS != 1:
        raise ValueError(
            f"{text!r} is no creditor identifier such as DE98ZZZ09999999999: its check digits are "
            "wrong or a character is missing"
        )
    return plain


def _as_number(text: str) -> int:
    """Digits as they are, letters as 10 to 35."""
    return int("".join(str(int(character, _BASE)) for character in text))
