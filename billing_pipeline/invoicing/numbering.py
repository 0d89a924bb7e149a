"""Document numbers: how a number of a gapless series is written.

The counter itself stands in the books and moves in the transaction that issues.
"""

from billing_pipeline.vocabulary.identifiers import InvoiceNumber


def document_number(pattern: str, year: int, number: int) -> InvoiceNumber:
    """Write the `number`-th document of a series and year.

    `pattern` is a Python format with `{year}` and `{number}`, e.g. `INV-{year}-{number:06d}`.
    Raises: ValueError if the number is not a position in a series (they start at 1).
    """
    if number < 1:
        raise ValueError(f"document numbers start at 1, got {number}")
    return InvoiceNumber(pattern.format(year=year, number=number))
