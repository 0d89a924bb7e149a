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
        ("code,price\n44,1\n", "has no column ['prefix', 'name', 'unit_price']"),
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
    "46labs-intrastate": (
        ("code,duration,increment,interrate,intrarate,ijrate,effective_date\n"
        "1201,6,6,0.01,0.02,0.03,8/16/2022\n"),
        [("1201", "0.02")],
    ),
    "46labs-indeterminate": (
        ("code,duration,increment,interrate,intrarate,ijrate,effective_date\n"
        "1201,6,6,0.01,0.02,0.03,8/16/2022\n"),
        [("1201", "0.03")],
    ),
    "lrn": (
        ("Terms: none of these rates is firm, and all may change.\n"
        "EFFECTIVE DATE: 2026-12-05 00:00:01 UTC\n\nLRN,RATE\n201200,0.00159\n"),
        [("1201200", "0.00159")],
    ),
    "interconn": (
        ('traffic_direction,rate,time_slot\n"Albania, mobile AMC",0.43058304,flat\n'
        "Austria,0.02301696,flat\n"),
        [("35568", "0.43058304"), ("43", "0.02301696")],
    ),
    "cgrates": (
        ("#ID,ConnectFee,Rate,RateUnit,RateIncrement,GroupIntervalStart\n"
        "RT_UK,0.2,1.2,1m,1m,0\nRT_UK,,1.2,1m,1s,1m\nRT_FLAT,0,0.5,60s,1s,0s\n"),
        [("442", "1.2"), ("4420", "1.2"), ("61", "0.5")],
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
    words = ["--layout", layout, "--from", "2026-12-01", "--codes", given(folder, CODES, "c.csv")]

    taken = deck("import", folder, "retail", file, *words, "--accept")

    assert taken.exit_code == 0, (taken.output, taken.exception)
    read = read_tenant_folder(folder).rate_card_prices.filter(
        pl.col("card_key") == "retail", pl.col("valid_from") >= dt.date(2022, 8, 1)
    )
    wanted = {(prefix, None if price is None else Decimal(price)) for prefix, price in expected}
    assert set(read.select("prefix", "unit_price").rows()) >= wanted


CODES = """\
code,prefix
"Albania, mobile AMC",35568
Austria,43
RT_UK,442
RT_UK,4420
RT_FLAT,61
g12,33
g12,34
"""


def shown(folder: Path, *columns: str) -> list[tuple[str, ...]]:
    """Rows of the card that hold from December on, as texts."""
    rows = read_tenant_folder(folder).rate_card_prices.filter(
        pl.col("card_key") == "retail", pl.col("valid_from") >= dt.date(2026, 12, 1)
    )
    plain = [
        pl.col(name).cast(pl.String).str.replace(r"\.?0*$", "")
        if "." in str(rows[name][0])
        else name
        for name in columns
    ]
    return sorted(rows.select(plain).cast(pl.String).rows())


def test_sixty_one_of_two_rows_is_a_minimum_and_an_increment(folder: Path) -> None:
    file = given(folder, LAYOUTS["cgrates"][0])
    words = [
        "--layout",
        "cgrates",
        "--codes",
        given(folder, CODES, "c.csv"),
        "--from",
        "2026-12-01",
    ]

    deck("import", folder, "retail", file, *words, "--accept")

    assert shown(folder, "prefix", "minimum_units", "increment_units", "connection_fee") == [
        ("442", "60", "1", "0.2"),
        ("4420", "60", "1", "0.2"),
        ("61", "1", "1", "0"),
    ]


@pytest.mark.parametrize(
    ("stated", "instead", "message"),
    [
        ("RT_UK,,1.2", "RT_UK,,0.9", "'1.2 and then 0.9' is no price"),
        ("1m,1s,1m", "1m,1s,2m", "'1.2 in steps of 60 s until 120 s' is no price"),
        ("ConnectFee,Rate,", "ConnectFee,Price,", "has no column ['Rate']"),
    ],
    ids=["another price", "two steps before", "no price at all"],
)
def test_what_a_card_cannot_hold_of_two_rows_is_a_mistake(
    folder: Path, stated: str, instead: str, message: str
) -> None:
    text = LAYOUTS["cgrates"][0].replace(stated, instead)
    codes = given(folder, CODES, "c.csv")
    words = ["--layout", "cgrates", "--codes", codes, "--from", "2026-12-01"]

    told = deck("check", folder, "retail", given(folder, text), *words)

    assert told.exit_code == 1
    assert message in told.output


def test_codes_have_prices_and_fees_by_band_and_prefixes_in_a_second_file(folder: Path) -> None:
    cards = (folder / "rate_cards.yaml").read_text()
    keys = ("peak, until_time: '18:00'", "off_peak", "weekend")
    bands = "".join(f"      - {{key: {key}}}\n" for key in keys)
    (folder / "rate_cards.yaml").write_text(cards.replace("bands:\n", "bands:\n" + bands, 1))
    head = "ChargeCode,Description,Peak,Off Peak,Weekend,Peak Setup,Off Peak Setup,Weekend Setup"
    text = f"{head},Minimum Charge\ng12,Far,0.3,0.2,0.1,0.03,0.02,0.01,0.05\n"
    words = ["--layout", "gamma", "--from", "2026-12-01"]
    file, codes = given(folder, text), given(folder, CODES, "c.csv")

    without = deck("check", folder, "retail", file, *words)
    lacking = deck("check", folder, "retail", given(folder, text.replace("g12", "44"), "o.csv"),
                   *words, "--codes", codes)  # fmt: skip
    checked = deck("check", folder, "retail", file, *words, "--codes", codes)
    deck("import", folder, "retail", file, *words, "--codes", codes, "--accept")

    assert "columns code and prefix, with --codes" in str(without.exception)
    assert "'44 (without prefix among the codes)' is no prefix" in lacking.output
    assert "Minimum Charge: '0.05' is not taken over" in checked.output
    assert shown(folder, "prefix", "band", "unit_price", "connection_fee", "name") == [
        (prefix, band, price, fee, "Far")
        for prefix in ("33", "34")
        for band, price, fee in (
            ("off_peak", "0.2", "0.02"), ("peak", "0.3", "0.03"), ("weekend", "0.1", "0.01"),
        )
    ]  # fmt: skip


def test_the_day_in_the_text_before_the_table_is_the_first_of_its_prices(folder: Path) -> None:
    words = ["--layout", "lrn", "--from", "2026-12-01", "--accept"]
    deck("import", folder, "retail", given(folder, f"LRN RATE DECK\n{LAYOUTS['lrn'][0]}"), *words)
    headless = deck("check", folder, "retail", given(folder, "Terms only\n"), *words[:4])

    assert shown(folder, "prefix", "valid_from") == [("1201200", "2026-12-05")]
    assert "no row begins with the cell 'LRN'" in str(headless.exception)


@pytest.mark.parametrize(
    ("layout", "text", "remark"),
    [
        (
            "astpp",
            (
                "Code,Destination,Connection Cost (USD),Grace Time,Cost / Min (USD),"
                "Initial Increment,Increment\n44,UK,0,5,0.06,30,60\n4420,London,0,5,0.06,30,60\n"
            ),
            "row 2 field Grace Time: '5' is not taken over (and 1 more rows)",
        ),
        (
            "yeti",
            (
                "prefix,initial_interval,next_interval,initial_rate,next_rate,connect_fee,valid_from,"
                "valid_till,reject_calls\n44,1,1,0.2,0.1,0,2026-12-01,,false\n"
            ),
            "row 2 field initial_rate: '0.2' differs from next_rate, which is taken",
        ),
        (
            "twilio",
            (
                "ISO,Country,Description,Price / min,Origination Prefixes,Destination Prefixes\n"
                'AT,Austria,Austria,0.02,"30, 31",43\n'
            ),
            "row 2 field Origination Prefixes: '30, 31' is not taken over",
        ),
    ],
)
def test_what_a_card_cannot_hold_is_a_remark(
    folder: Path, layout: str, text: str, remark: str
) -> None:
    words = (folder, "retail", given(folder, text), "--layout", layout, "--from", "2026-12-01")

    told = deck("check", *words)
    refused = deck("import", *words)

    assert remark in told.output
    assert "accept them with --accept" in str(refused.exception)


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


def test_an_amendment_takes_prefixes_out_from_its_day_on(folder: Path) -> None:
    """London leaves the deck on 5 December: from then on it is the country's price."""
    cards = (folder / "rate_cards.yaml").read_text()
    bands = "      - {key: peak, until_time: '18:00'}\n      - {key: off_peak}\n"
    (folder / "rate_cards.yaml").write_text(cards.replace("bands:\n", "bands:\n" + bands, 1))
    head = "Destinations;Code;Peak;Off peak;Effective;Comment\n"
    words = ["--layout", "twt", "--from", "2026-12-01", "--accept"]
    first = head + "UK;44;0,03;0,02;01/12/2026;New\nLondon;4420;0,02;0,01;01/12/2026;New\n"
    deck("import", folder, "retail", given(folder, first), *words)

    leaves = given(folder, head + "London;4420;;;05/12/2026;Delete\n")
    taken = deck("import", folder, "retail", leaves, *words, "--amend")

    assert taken.exit_code == 0, (taken.output, taken.exception)
    assert "0 prices stated" in taken.output
    assert shown(folder, "prefix", "band", "valid_until") == [
        ("44", "off_peak", None),
        ("44", "peak", None),
        ("4420", "off_peak", "2026-12-05"),
        ("4420", "peak", "2026-12-05"),
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
