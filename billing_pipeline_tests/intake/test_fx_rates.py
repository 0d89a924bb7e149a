import datetime as dt
from decimal import Decimal

from billing_pipeline.catalog.fx_rates import rate_on
from billing_pipeline.intake.fx_rates import read_fx_rates

HEADER = b"from_currency,to_currency,rate,valid_from,source\n"


def test_the_latest_rate_known_for_a_day_is_taken() -> None:
    rates, problems = read_fx_rates(
        HEADER + b"EUR,GBP,0.84,2026-02-01,ECB\nEUR,GBP,0.86,2026-03-02,ECB\n"
    )

    assert problems == ()
    found = rate_on(rates, "EUR", "GBP", dt.date(2026, 3, 1))
    assert found is not None
    assert (found.rate, found.source) == (Decimal("0.84"), "ECB")
    assert rate_on(rates, "EUR", "GBP", dt.date(2026, 1, 31)) is None
    assert rate_on(rates, "GBP", "EUR", dt.date(2026, 3, 1)) is None


def test_two_rates_for_a_day_and_rates_of_nothing_are_refused() -> None:
    _, problems = read_fx_rates(
        HEADER
        + b"EUR,GBP,0.84,2026-02-01,ECB\nEUR,GBP,0.85,2026-02-01,bank\nEUR,USD,0,2026-02-01,ECB\n"
    )

    assert [problem.message for problem in problems] == [
        "has more than one rate for EUR/GBP/2026-02-01",
        "the rate of EUR/USD/2026-02-01 is not above zero",
    ]


def test_a_tenant_without_the_file_has_no_rates() -> None:
    assert read_fx_rates(None) == ((), ())
