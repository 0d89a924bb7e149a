import pytest

from billing_pipeline.invoicing.numbering import document_number


def test_a_number_is_written_by_its_series() -> None:
    assert document_number("INV-{year}-{number:06d}", 2026, 42) == "INV-2026-000042"


def test_a_series_starts_at_one() -> None:
    with pytest.raises(ValueError, match="start at 1"):
        document_number("{number}", 2026, 0)
