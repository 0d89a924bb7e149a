"""`billing deck`: decks of suppliers checked, compared and taken over into a tenant folder."""

import datetime as dt
import gzip
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result

from billing_pipeline.cli import billing
from billing_pipeline.intake.tenant_folder import read_tenant_folder
from billing_pipeline.vocabulary.problems import ConfigurationRefused
from billing_pipeline_tests.intake.small_tenant import FILES

DECK = """\
prefix,name,unit_price,connection_fee
44,United Kingdom,0.0200,0.01
447,United Kingdom mobile,0.0900,0
49,Germany,0.0100,0
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The small tenant, whose card `retail` has its rows in rate_cards/retail.csv."""
    for name, text in FILES.items():
        path = tmp_path / "acme" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "acme"


def deck(*words: object) -> Result:
    return CliRunner().invoke(billing, ["deck", *map(str, words)])


def given(folder: Path, text: str = DECK, name: str = "new.csv") -> Path:
    file = folder.parent / name
    file.write_text(text)
    return file


def rows_of(folder: Path) -> list[tuple[str, Decimal | None, dt.date, dt.date | None]]:
    read = read_tenant_folder(folder).rate_card_prices
    return (
        read.filter(card_key="retail")
        .sort("prefix", "band", "valid_from")
        .select("prefix", "unit_price", "valid_from", "valid_until")
        .rows()
    )


def test_a_good_deck_is_written_and_its_folder_reads(folder: Path) -> None:
    before = rows_of(folder)
    found = deck("import", folder, "retail", given(folder), "--from", "2026-12-01")

    assert found.exit_code == 0, found.output
    since = dt.date(2026, 12, 1)
    after = rows_of(folder)
    assert [row[0] for row in after if row[2] == since] == ["44", "447", "49"]
    assert {row[3] for row in after if row[2] < since} == {since}
    assert len(after) == len(before) + 3


def test_an_amendment_leaves_what_it_does_not_name(folder: Path) -> None:
    before = rows_of(folder)
    only = given(folder, "prefix,name,unit_price\n49,Germany,0.5\n")

    found = deck("import", folder, "retail", only, "--from", "2026-12-01", "--amend", "--accept")

    assert found.exit_code == 0, found.output
    kept = [row for row in rows_of(folder) if row[0] != "49"]
    assert kept == [row for row in before if row[0] != "49"]


def test_a_difference_is_told_and_nothing_is_written(folder: Path) -> None:
    before = rows_of(folder)

    told = deck("diff", folder, "retail", given(folder), "--from", "2026-12-01").output

    assert "retail on 2026-12-01: " in told
    assert "new 49" in told or "increased 49" in told or "decreased 49" in told
    assert rows_of(folder) == before


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (DECK + "44,United Kingdom,0.03,0\n", "44 has another price in row 2"),
        (DECK + "4x,Nowhere,0.03,0\n", "'4x' is no prefix of digits"),
        ("code,price\n44,1\n", "has no column ['prefix', 'name']"),
    ],
)
def test_mistakes_are_told_and_refuse_the_deck(folder: Path, text: str, message: str) -> None:
    before = rows_of(folder)
    file = given(folder, text)

    checked = deck("check", folder, "retail", file, "--from", "2026-12-01")
    taken = deck("import", folder, "retail", file, "--from", "2026-12-01", "--accept")

    assert checked.exit_code == 1
    assert message in checked.output
    assert "nothing was taken over" in str(taken.exception)
    assert rows_of(folder) == before


def test_remarks_are_accepted_by_a_person(folder: Path) -> None:
    """8821 without 88... of Bangladesh has no parent, and 900 is a hundred times the median."""
    odd = given(folder, DECK + "4930,Berlin,900,0\n8801,Dhaka,0.02,0\n")
    words = (folder, "retail", odd, "--from", "2026-12-01")

    checked = deck("check", *words)
    refused = deck("import", *words)
    taken = deck("import", *words, "--accept")

    assert checked.exit_code == 0
    assert "900.0000000000 is more than" in checked.output
    assert "8801 has a price but its country 880 has none" in checked.output
    assert "accept them with --accept" in str(refused.exception)
    assert taken.exit_code == 0


def test_a_deck_that_breaks_an_example_is_refused(folder: Path) -> None:
    cards = (folder / "rate_cards.yaml").read_text()
    example = "    examples: [{destination: '4917', at: 2026-12-24T12:00:00, amount: 0.01}]\n"
    cards = cards.replace("key: retail\n", "key: retail\n" + example, 1)
    (folder / "rate_cards.yaml").write_text(cards)
    dear = given(folder, DECK.replace("49,Germany,0.0100", "49,Germany,0.0300"))

    with pytest.raises(ConfigurationRefused, match="must cost"):
        read_tenant_folder(folder)
    (folder / "rate_cards.yaml").write_text(cards.replace("amount: 0.01", "amount: null"))
    refused = deck("import", folder, "retail", dear, "--from", "2026-12-01", "--accept")

    assert "4917 costs 0.03 by prefix 49, but must cost nothing: it has no price" in str(
        refused.exception
    )


LAYOUTS: dict[str, tuple[str, list[tuple[str, str | None]]]] = {
    "asterisell": ('"DESTINATION","PREFIX","RATE"\n"UK","44","0,1175"\n', [("44", "0.1175")]),
    "ivozprovider": (
        ("Target Pattern Name,Prefix,Per minute,Connection charge,Charge period\n"
        "Afghanistan,+9377,0.2,0.01,1\n"),
        [("9377", "0.2")],
    ),
    "jbilling": ("landline,52,0.180,1\n", [("52", "0.18")]),
    "npanxx": ("NPANXX,Rate,Wireless\r\n201200,0.00159,Y\r\n", [("1201200", "0.00159")]),
    "46labs": (
        ("code,duration,increment,interrate,intrarate,ijrate,effective_date\n"
        "1201,6,6,0.01,0.02,0.02,8/16/2022\n"),
        [("1201", "0.01")],
    ),
    "twilio": (
        ('ISO,Country,Description,Price / min,Origination Prefixes,Destination Prefixes\n'
        'AT,Austria,Austria,0.02,ALL,"43, 431"\n'),
        [("43", "0.02"), ("431", "0.02")],
    ),
    "didww": (
        ("Prefix,Network,Rate,Connection fee,Initial increment,Recurring increment,Reject,"
        "Effective at,Next rate,Next effective at\n"
        "49,DE,0.0112,0,1,1,false,2026-12-01 00:00:00,0.0200,2027-01-01 00:00:00\n"
        "493,DE,0.5,0,1,1,true,,,\n"),
        [("49", "0.0112"), ("49", "0.02"), ("493", None)],
    ),
    "kazoo": (
        "prefix,rate_cost,rate_increment,rate_minimum,rate_surcharge\n44,0.05,60,60,0.1\n",
        [("44", "0.05")],
    ),
    "yeti": (
        ("prefix,initial_interval,next_interval,initial_rate,next_rate,connect_fee,valid_from,"
        "valid_till,reject_calls\n44,1,1,0.1,0.1,0,2026-12-01,2027-12-01,false\n"),
        [("44", "0.1")],
    ),
    "astpp": (
        ("Code,Destination,Connection Cost (USD),Grace Time,Cost / Min (USD),Initial Increment,"
        "Increment,Strip,Prepend\n44,UK,0,0,0.06,30,60,0,0\n"),
        [("44", "0.06")],
    ),
    "freeside": ('Destination,Prefix,Rate\nAustralia,"61 38,39",0.03\n',
                 [("6138", "0.03"), ("6139", "0.03")]),
    "cdr-stats": ("36, 0.082\n40, 0.071\n", [("36", "0.082"), ("40", "0.071")]),
}  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
def test_decks_are_read_as_their_sources_write_them(folder: Path, layout: str) -> None:
    text, expected = LAYOUTS[layout]
    file = folder.parent / "deck.csv.gz"
    file.write_bytes(gzip.compress(text.encode()))

    taken = deck(
        "import", folder, "retail", file, "--layout", layout, "--from", "2026-12-01", "--accept"
    )

    assert taken.exit_code == 0, (taken.output, taken.exception)
    read = read_tenant_folder(folder).rate_card_prices.filter(
        pl.col("card_key") == "retail", pl.col("valid_from") >= dt.date(2022, 8, 1)
    )
    wanted = {(prefix, None if price is None else Decimal(price)) for prefix, price in expected}
    assert set(read.select("prefix", "unit_price").rows()) >= wanted


def test_prices_per_band_stand_in_columns_of_their_own(folder: Path) -> None:
    cards = (folder / "rate_cards.yaml").read_text()
    bands = "      - {key: peak, until_time: '18:00'}\n      - {key: off_peak}\n"
    (folder / "rate_cards.yaml").write_text(cards.replace("bands:\n", "bands:\n" + bands, 1))
    twt = given(
        folder,
        "Destinations;Code;Peak;Off peak;Effective;Comment\nFrance;33;0,02;0,01;05/12/2026;inc\n",
    )

    taken = deck(
        "import", folder, "retail", twt, "--layout", "twt", "--from", "2026-12-01", "--accept"
    )

    assert taken.exit_code == 0, (taken.output, taken.exception)
    rows = read_tenant_folder(folder).rate_card_prices.filter(prefix="33").sort("band")
    found = rows.select("band", "unit_price", "valid_from").rows()
    assert [(band, f"{price.normalize():f}", str(day)) for band, price, day in found] == [
        ("off_peak", "0.01", "2026-12-05"),
        ("peak", "0.02", "2026-12-05"),
    ]


def test_a_layout_of_ones_own_is_a_file(folder: Path) -> None:
    layout = given(
        folder,
        "prefix: Code\nunit_price: Rate\nheader_row: 3\nends_at: Total\ndelimiter: ';'\n",
        "mine.yaml",
    )
    text = "Terms of sale; read them\n\nCode;Rate\n44;0.1\n49;0.2\nTotal;2\n"

    checked = deck(
        "check", folder, "retail", given(folder, text), "--layout", layout, "--from", "2026-12-01"
    )

    assert "retail: 2 prices stated" in checked.output
    shown = deck("layouts", "twt").output
    assert "band_prices:" in shown
    assert "twt: prefix in 'Code'" in deck("layouts").output


def test_names_that_are_not_there_are_named(folder: Path) -> None:
    file = given(folder)

    no_card = deck("check", folder, "gold", file, "--from", "2026-12-01")
    no_layout = deck("check", folder, "retail", file, "--from", "2026-12-01", "--layout", "astp")

    assert "no card 'gold'" in str(no_card.exception)
    assert "did you mean 'astpp'" in str(no_layout.exception)


@pytest.mark.slow
def test_300_000_prefixes_are_taken_over(folder: Path) -> None:
    prefixes = (f"{number},somewhere,0.0{number % 900 + 100}" for number in range(100_000, 400_000))
    large = given(folder, "prefix,name,unit_price\n" + "\n".join(prefixes) + "\n")

    taken = deck("import", folder, "retail", large, "--from", "2026-12-01", "--accept")

    assert taken.exit_code == 0, taken.exception
    assert "300000 prices stated" in taken.output
