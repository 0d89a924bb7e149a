import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_pipeline.invoicing.document import Line


def line(quantity: str, unit_price: str | None, net_minor: int) -> Line:
    return Line(
        line_number=1,
        charge_kind="usage",
        description="Calls",
        subscription_key=None,
        service_from=dt.date(2026, 2, 1),
        service_until=dt.date(2026, 3, 1),
        quantity=Decimal(quantity),
        unit="min",
        unit_price=None if unit_price is None else Decimal(unit_price),
        net_minor=net_minor,
        tax_code="S",
        tax_rate=Decimal(20),
        corrects_invoice=None,
    )


@pytest.mark.parametrize(
    ("quantity", "unit_price", "net_minor", "printed"),
    [
        pytest.param("1425.4833333333", "0.05", 7127, "1425.48", id="two decimals are enough"),
        pytest.param("1425.4833333333", None, 7127, "1425.48", id="no price to multiply"),
        pytest.param("0.0035", None, 7, "0.004", id="never a zero that is none"),
        # 0.3333 x 300 = 99.99; 0.33333 x 300 = 99.999 is the hundred that was charged.
        pytest.param("0.3333333333", "300", 10000, "0.33333", id="as many as the net needs"),
        pytest.param("24", "7.50", 18000, "24.00", id="a whole number"),
    ],
)
def test_a_quantity_is_printed_as_short_as_it_explains_the_amount(
    quantity: str, unit_price: str | None, net_minor: int, printed: str
) -> None:
    assert line(quantity, unit_price, net_minor).printed_quantity("EUR") == Decimal(printed)


@given(
    quantity=st.decimals(min_value=0, max_value=10**6, places=10),
    price=st.decimals(min_value=0, max_value=10**4, places=4),
)
def test_a_printed_quantity_times_the_printed_price_is_the_printed_net(
    quantity: Decimal, price: Decimal
) -> None:
    net_minor = int((quantity * price * 100).quantize(Decimal(1), "ROUND_HALF_UP"))

    printed = line(str(quantity), str(price), net_minor).printed_quantity("EUR")

    assert int((printed * price * 100).quantize(Decimal(1), "ROUND_HALF_UP")) == net_minor
