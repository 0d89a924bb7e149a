"""Rate cards and a supplier's deck over the world's real numbering plans, with invented prices.

Prefixes and carriers come from the `phonenumbers` package; prices from a zone's base and a factor
that depends on the name alone, so every build gives the same bytes. Rebuild the demo's cards with
`python -m billing_pipeline.demo.decks`.
"""

import hashlib
from decimal import Decimal
from pathlib import Path

import phonenumbers
import polars as pl
from babel import Locale
from phonenumbers.carrierdata import CARRIER_DATA

from billing_pipeline.vocabulary.money import AMOUNT

TENANTS = Path(__file__).parent / "tenants"
"""The demo's tenant folders."""

CARDS = Path("northlink", "rate_cards")
"""Where the carrier's cards lie below the tenant folders."""


# Cost per minute of a land line and of a mobile by the first digit of the country code: the
# world's numbering zones. The order of magnitude is that of public price lists.
_ZONES = {
    "1": ("0.0040", "0.0045"),
    "2": ("0.1200", "0.1900"),
    "3": ("0.0090", "0.0280"),
    "4": ("0.0080", "0.0260"),
    "5": ("0.0300", "0.0800"),
    "6": ("0.0300", "0.0900"),
    "7": ("0.0600", "0.0800"),
    "8": ("0.0250", "0.0500"),
    "9": ("0.0700", "0.1200"),
}
_NEAR = ("44", "353", "33", "49", "1")  # countries with peak and off-peak prices
_RETAIL, _WHOLESALE = Decimal("1.90"), Decimal("1.35")  # sales price over the dearest cost
_OFF_PEAK = Decimal("0.70")
_CARRIER_SPREAD = (Decimal("0.90"), Decimal("1.10"))
_COUNTRY_SPREAD = (Decimal("0.75"), Decimal("1.25"))

# Codes that several countries share.
_SHARED_CODES = {"1": "North America", "7": "Russia and Kazakhstan"}

# United Kingdom numbers that cost the caller something else. Ofcom, National Numbering Scheme.
_BRITISH_SPECIALS = (
    ("4480", "United Kingdom freephone", "0", "0"),
    ("4484", "United Kingdom business rate", "0.0700", "0.0150"),
    ("4487", "United Kingdom business rate", "0.1300", "0.0150"),
    ("449", "United Kingdom premium rate", "1.0000", "0.2500"),
)
_SHARE_OF_SPECIALS = Decimal("0.80")  # of what the caller pays goes on to the supplier


def country_names() -> dict[str, str]:
    """Country calling code to the name of its main country, e.g. 44 to United Kingdom."""
    territories = Locale("en").territories
    names = {
        str(code): territories.get(regions[0], "Global services")
        for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items()
    }
    return {**names, **_SHARED_CODES}


def carrier_prefixes() -> dict[str, str]:
    """Every mobile prefix whose carrier is known, some 29,000, to the carrier's name."""
    return {prefix: _english(names) for prefix, names in CARRIER_DATA.items()}


def geographic_prefixes() -> dict[str, str]:
    """Every geographic prefix whose place is known, some 287,000, to the place's name."""
    from phonenumbers.geodata import GEOCODE_DATA  # noqa: PLC0415 - takes seconds to import

    return {prefix: _english(names) for prefix, names in GEOCODE_DATA.items()}


def supplier_deck(carriers: dict[str, str], places: dict[str, str]) -> pl.DataFrame:
    """A supplier's deck: every country, the given carriers' prefixes and the given places.

    Shape: one row per prefix, sorted; unit prices are per minute, with five decimals.
    """
    countries = country_names()
    rows = {code: (name, _land_line(code)) for code, name in countries.items()}
    for prefix, place in places.items():
        code = _country_code(prefix, countries)
        rows[prefix] = (f"{countries[code]} {place}", _land_line(code))
    for prefix, name, price, _fee in _BRITISH_SPECIALS:
        rows[prefix] = (name, Decimal(price) * _SHARE_OF_SPECIALS)
    for prefix, carrier in carriers.items():
        code = _country_code(prefix, countries)
        cost = _mobile(code) * _factor(carrier, _CARRIER_SPREAD)
        rows[prefix] = (f"{countries[code]} mobile {carrier}", cost)
    return _as_deck(rows)


def retail_card(carriers: dict[str, str]) -> pl.DataFrame:
    """What customers pay: countries and their mobile ranges, near ones by peak and off-peak.

    Shape: one row per prefix and band; connection fees are per call.
    """
    card = (
        _sales_prices(carriers, _RETAIL)
        .with_columns(
            is_near=pl.col("code").is_in(_NEAR), connection_fee=pl.lit("0").cast(pl.String)
        )
        .drop("code")
    )
    bands = pl.DataFrame(
        {
            "is_near": [True, True, False],
            "band": ["peak", "off-peak", ""],
            "share": pl.Series([Decimal(1), _OFF_PEAK, Decimal(1)], dtype=AMOUNT),
        }
    )
    priced = card.join(bands, on="is_near", maintain_order="left_right").with_columns(
        unit_price=(pl.col("unit_price").cast(AMOUNT) * pl.col("share"))
    )
    specials = pl.DataFrame(
        _BRITISH_SPECIALS, schema=["prefix", "name", "unit_price", "connection_fee"], orient="row"
    ).with_columns(pl.col("unit_price").cast(AMOUNT), band=pl.lit(""))
    columns = ["prefix", "name", "unit_price", "connection_fee", "band"]
    return (
        pl.concat([priced.select(columns), specials.select(columns)])
        .with_columns(_decimals("unit_price", 4))
        .sort("prefix", "band")
    )


def wholesale_card(carriers: dict[str, str]) -> pl.DataFrame:
    """What resellers pay: the same destinations without bands and fees."""
    return _sales_prices(carriers, _WHOLESALE).drop("code").sort("prefix")


def write_decks(tenants: Path) -> None:
    """Write the demo carrier's three cards into a copy of the demo's tenant folders."""
    carriers = carrier_prefixes()
    folder = tenants / CARDS
    folder.mkdir(parents=True, exist_ok=True)
    supplier_deck(carriers, places={}).write_csv(folder / "supplier.csv")
    retail_card(carriers).write_csv(folder / "retail.csv")
    wholesale_card(carriers).write_csv(folder / "wholesale.csv")


def _sales_prices(carriers: dict[str, str], margin: Decimal) -> pl.DataFrame:
    """Countries and, two digits deeper, the ranges their mobile carriers use."""
    countries = country_names()
    rows = {code: (name, _land_line(code) * margin, code) for code, name in countries.items()}
    for prefix in carriers:
        code = _country_code(prefix, countries)
        mobile_range = prefix[: len(code) + 2]
        dearest = _mobile(code) * _CARRIER_SPREAD[1]
        rows[mobile_range] = (f"{countries[code]} mobile", dearest * margin, code)
    listed = [(prefix, *row) for prefix, row in rows.items()]
    frame = pl.DataFrame(
        listed,
        schema={"prefix": pl.String, "name": pl.String, "unit_price": AMOUNT, "code": pl.String},
        orient="row",
    )
    return frame.with_columns(_decimals("unit_price", 4))


def _as_deck(rows: dict[str, tuple[str, Decimal]]) -> pl.DataFrame:
    listed = [(prefix, name, price) for prefix, (name, price) in rows.items()]
    frame = pl.DataFrame(
        listed,
        schema={"prefix": pl.String, "name": pl.String, "unit_price": AMOUNT},
        orient="row",
    )
    return frame.with_columns(_decimals("unit_price", 5)).sort("prefix")


def _decimals(name: str, digits: int) -> pl.Expr:
    """The amount as text with so many decimals."""
    rounded = pl.col(name).cast(AMOUNT).round(digits, mode="half_away_from_zero")
    return rounded.cast(pl.Decimal(38, digits)).cast(pl.String).alias(name)


def _land_line(code: str) -> Decimal:
    return Decimal(_ZONES[code[0]][0]) * _factor(f"land line {code}", _COUNTRY_SPREAD)


def _mobile(code: str) -> Decimal:
    return Decimal(_ZONES[code[0]][1]) * _factor(f"mobile {code}", _COUNTRY_SPREAD)


def _factor(name: str, spread: tuple[Decimal, Decimal]) -> Decimal:
    """A number of `spread` in steps of a hundredth of it, the same for the same name for ever."""
    step = hashlib.sha256(name.encode()).digest()[0] % 101
    return spread[0] + (spread[1] - spread[0]) * step / 100


def _country_code(prefix: str, countries: dict[str, str]) -> str:
    return next(prefix[:length] for length in (1, 2, 3) if prefix[:length] in countries)


def _english(names: dict[str, str]) -> str:
    return names.get("en") or names[min(names)]


if __name__ == "__main__":
    write_decks(TENANTS)
