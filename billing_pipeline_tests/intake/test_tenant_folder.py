import datetime as dt
import json
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from billing_pipeline.catalog.catalog import Catalog
from billing_pipeline.catalog.entries import (
    ORDER,
    catalog_entries,
    catalog_from_entries,
    feeds_from_entries,
)
from billing_pipeline.catalog.price_terms import Increment
from billing_pipeline.catalog.prices import PerUnitUsage
from billing_pipeline.catalog.schema import CATALOG_ENTRIES
from billing_pipeline.customers.tenant import BrandWords, Tenant
from billing_pipeline.customers.tenant_document import tenant_document
from billing_pipeline.intake.json_schemas import folder_schemas
from billing_pipeline.intake.tenant_folder import TenantFolder, read_tenant_folder
from billing_pipeline.intake.write_folder import write_tenant_folder
from billing_pipeline.vocabulary.problems import ConfigurationRefused
from billing_pipeline_tests.intake.small_tenant import (
    FILES,
    mistakes_after,
    write_small_tenant,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_small_tenant(tmp_path)


def refusal_of(folder: Path) -> list[str]:
    with pytest.raises(ConfigurationRefused) as refused:
        read_tenant_folder(folder)
    return [str(problem) for problem in refused.value.problems]


def test_a_faultless_folder_is_read_whole(folder: Path) -> None:
    read = read_tenant_folder(folder)

    assert read.tenant.legal_entity.postal_code == "0150"
    assert read.tenant.legal_entity.country == "NO"
    assert read.tenant.ledger_accounts.receivable == "1200"
    assert [plan.key for plan in read.catalog.plans] == ["basic"]
    assert read.feeds[0].null == ["", "NULL"]
    assert read.documents["plans.yaml"] == FILES["plans.yaml"]


def test_plain_numbers_become_exact_decimals_and_times_stay_times(folder: Path) -> None:
    read = read_tenant_folder(folder)
    price = read.catalog.plans[0].prices[2]
    band = read.catalog.rate_card_by_key["retail"].bands[0]

    assert isinstance(price, PerUnitUsage)
    assert price.amount == Decimal("0.05")
    assert (band.from_time, band.until_time) == (dt.time(8), dt.time(18))


def test_empty_cells_of_accounts_take_the_defaults_of_the_tenant(folder: Path) -> None:
    accounts = read_tenant_folder(folder).accounts
    columns = ["account_key", "payer_key", "currency", "payment_terms_days", "language"]

    assert accounts.select(columns).rows() == [
        ("A-1", "A-1", "EUR", 14, "de_DE"),
        ("A-2", "A-1", "EUR", 30, "de_DE"),
    ]
    assert accounts["name"][0] == "Muster, Söhne & Co"


def test_local_times_of_identifiers_become_instants(folder: Path) -> None:
    spans = read_tenant_folder(folder).service_identifiers.select("valid_from", "valid_until")

    assert spans.rows() == [
        (utc(2026, 1, 31, 23), utc(2026, 6, 15, 10)),
        (utc(2026, 6, 15, 10), None),
        (utc(2026, 5, 31, 22), utc(2026, 6, 30, 22)),
    ]


def utc(year: int, month: int, day: int, hour: int) -> dt.datetime:
    return dt.datetime(year, month, day, hour, tzinfo=dt.UTC)


def test_an_empty_rate_blocks_the_destination(folder: Path) -> None:
    prices = read_tenant_folder(folder).rate_card_prices
    supplier = prices.filter(pl.col("card_key") == "supplier")

    assert supplier["unit_price"].to_list() == [Decimal("0.01"), None]


def test_a_company_without_accounts_needs_nothing_but_itself(tmp_path: Path) -> None:
    folder = tmp_path / "acme"
    folder.mkdir()
    (folder / "tenant.yaml").write_text(FILES["tenant.yaml"], encoding="utf-8")

    read = read_tenant_folder(folder)

    assert read.accounts.is_empty()
    assert read.rate_card_prices.is_empty()
    assert read.catalog == Catalog()


MISTAKES = [
    pytest.param(
        "plans.yaml",
        "    currency: EUR\n",
        "",
        "plans.yaml row 2 field plans/basic/currency: is missing; say in which currency the"
        " prices are, e.g. `currency: USD`",
        id="a price without currency",
    ),
    pytest.param(
        "rate_cards.yaml",
        "    currency: EUR\n",
        "",
        "rate_cards.yaml row 2 field rate_cards/retail/currency: is missing; say in which"
        " currency the prices are, e.g. `currency: USD`",
        id="a rate card without currency",
    ),
    pytest.param(
        "plans.yaml",
        "amount: 20.00",
        "amonut: 20.00",
        "plans.yaml row 6 field plans/basic/prices/monthly/amonut: is no known key; did you"
        " mean 'amount'?",
        id="a misspelt key",
    ),
    pytest.param(
        "plans.yaml",
        "model: flat",
        "model: flt",
        "plans.yaml row 6 field plans/basic/prices/monthly: 'flt' is no known kind; it is one of"
        " flat, one_time, per_unit, rate_card, cost_plus, time_of_day, carried, percentage,"
        " zone_matrix, per_event_steps, plugin, graduated, volume, threshold, package, percentile,"
        " latest, metered;"
        " did you mean 'flat'?",
        id="an unknown price model",
    ),
    pytest.param(
        "plans.yaml",
        "amount: 20.00",
        "amount: twenty",
        "plans.yaml row 6 field plans/basic/prices/monthly/amount: 'twenty' is not a number;"
        " write it as 1234.56",
        id="an amount that is no number",
    ),
    pytest.param(
        "plans.yaml",
        "model: flat, ",
        "model: flat, valid_from: 1.9.2026, ",
        "plans.yaml row 6 field plans/basic/prices/monthly/valid_from: '1.9.2026' is not a date;"
        " write it as 2026-09-30",
        id="a bad date in YAML",
    ),
    pytest.param(
        "plans.yaml",
        "product: access",
        "product: acess",
        "plans.yaml row 6 field plans/basic/prices/monthly/product: no product 'acess' in"
        " products.yaml; add it there or correct the key",
        id="an unknown product",
    ),
    pytest.param(
        "plans.yaml",
        "product: access",
        "product: calls",
        "plans.yaml row 6 field plans/basic/prices/monthly/product: product 'calls' is of kind"
        " usage, but this needs kind recurring",
        id="a product of another kind",
    ),
    pytest.param(
        "plans.yaml",
        "card: retail",
        "card: wholesale",
        "plans.yaml row 20 field plans/basic/prices/international/card: no rate card 'wholesale'"
        " in rate_cards.yaml; add it there or correct the key",
        id="an unknown rate card",
    ),
    pytest.param(
        "plans.yaml",
        "priority: 50",
        "priority: 100",
        "plans.yaml row 18 field plans/basic/prices/international/applies_to: takes events that"
        " 'minutes' takes too; give one of them a lower priority number to be tried first, or"
        " narrow its selector",
        id="two prices that take the same event",
    ),
    pytest.param(
        "plans.yaml",
        "  - {key: ten,",
        "  - {key: ten, name: Twice, product: loyalty, percent_off: 5}\n  - {key: ten,",
        "plans.yaml row 26 field discounts/ten: the key 'ten' is taken already",
        id="a key used twice in a list",
    ),
    pytest.param(
        "tenant.yaml",
        "currency: EUR\n",
        "currency: EUR\ncurrency: USD\n",
        "tenant.yaml row 11 field currency: stands twice; keep one of the two",
        id="a key twice in one mapping",
    ),
    pytest.param(
        "tenant.yaml",
        "key: acme",
        "key: amce",
        "tenant.yaml row 1 field key: is 'amce', but the folder is named 'acme'; make them equal",
        id="a folder of another name",
    ),
    pytest.param(
        "tenant.yaml",
        "Europe/Berlin",
        "Europe/Bonn",
        "tenant.yaml row 11 field time_zone: 'Europe/Bonn' is not an IANA time zone such as"
        " Europe/London",
        id="an unknown zone",
    ),
    pytest.param(
        "tenant.yaml",
        "  name: Acme Voice Ltd",
        "  name: [Acme Voice Ltd",
        "tenant.yaml row 5 field: is not YAML",
        id="broken YAML",
    ),
    pytest.param(
        "products.yaml",
        "kind: recurring",
        "kind: recurring, tax_category: books",
        "products.yaml row 2 field products/access/tax_category: no rate in taxes.yaml has"
        " category 'books'; add one",
        id="a tax category without rate",
    ),
    pytest.param(
        "products.yaml",
        "kind: recurring",
        "kind: recurring, category: voice",
        "products.yaml row 2 field products/access/category: no category 'voice' in products.yaml;"
        " add it there or correct the key",
        id="an unknown product category",
    ),
    pytest.param(
        "products.yaml",
        "products:\n",
        "product_categories:\n  - {key: voice, name: Voice}\n  - {key: voice, name: Calls}\n"
        "products:\n",
        "products.yaml row 3 field product_categories/voice: the key 'voice' is taken already",
        id="a product category twice",
    ),
    pytest.param(
        "plans.yaml",
        "    included_units:",
        "      - {key: odd, product: calls, model: plugin, plugin: odd,"
        " applies_to: {usage_type: odd}}\n    included_units:",
        "plans.yaml row 22 field plans/basic/prices/odd/plugin: no installed package brings a price"
        " model 'odd' as entry point billing_pipeline.price_models",
        id="a price model nobody brings",
    ),
    pytest.param(
        "plans.yaml",
        "amount: 5}",
        "amount: -5}",
        "plans.yaml row 7 field plans/basic/prices/setup/amount: is below zero; give money back by"
        " a product of kind adjustment",
        id="money given back by a fee",
    ),
    pytest.param(
        "plans.yaml",
        "percent_off: 10",
        "percent_off: 10, categories: [voice]",
        "plans.yaml row 25 field discounts/ten/categories/0: no category 'voice' in products.yaml;"
        " add it there or correct the key",
        id="a discount on an unknown category",
    ),
    pytest.param(
        "tenant.yaml",
        "tax: 1776}",
        "tax: 1776, rules: [{role: revenue, category: voice, ledger_account: 8500}]}",
        "tenant.yaml row 14 field ledger_accounts/rules/0/category: no category 'voice' in"
        " products.yaml; add it there or correct the key",
        id="a ledger rule for an unknown category",
    ),
    pytest.param(
        "tenant.yaml",
        "tax: 1776}",
        "tax: 1776, rules: [{role: revenue, category: a, product: b, ledger_account: 8500}]}",
        "tenant.yaml row 14 field ledger_accounts/rules/0: give either product or category",
        id="a ledger rule for a product and a category",
    ),
    pytest.param(
        "plans.yaml",
        "    included_units:",
        "    term: {key: end, product: calls, months: 12, fee: 50}\n    included_units:",
        "plans.yaml row 22 field plans/basic/term/product: product 'calls' is of kind usage, but"
        " this needs kind adjustment or one_time or penalty",
        id="a contract term without a penalty product",
    ),
    pytest.param(
        "feeds/calls.yaml",
        "identity: [id]",
        "identity: [uid]",
        "feeds/calls.yaml row 1: identity names no field 'uid'",
        id="a feed that names no field",
    ),
    pytest.param(
        "rate_cards/retail.csv",
        "44,UK,0.02,\n",
        "44,UK,0.02,night\n",
        "rate_cards/retail.csv row 2 field band: 'night' is no band of this card in"
        " rate_cards.yaml",
        id="an unknown band",
    ),
    pytest.param(
        "rate_cards/retail.csv",
        "44,UK day,0.03,day",
        "44,UK day,0.03,",
        "rate_cards/retail.csv row 3 field prefix: 44 has a price for the same days in row 2; end"
        " that row with valid_until or remove one of the two",
        id="a prefix with two prices",
    ),
    pytest.param(
        "rate_cards/retail.csv",
        "44,UK,",
        "4.42E+11,UK,",
        "rate_cards/retail.csv row 2 field prefix: '4.42E+11' is not a prefix; write E.164 digits"
        " only, e.g. 4420",
        id="a prefix damaged by a spreadsheet",
    ),
    pytest.param(
        "rate_cards/retail.csv",
        "0.02",
        "-1",
        "rate_cards/retail.csv row 2 field unit_price: is below zero; leave it empty to block the"
        " destination",
        id="a negative rate",
    ),
    pytest.param(
        "accounts.csv",
        "A-2,Filiale,2026-02-01,A-1",
        "A-2,Filiale,2026-02-30,A-1",
        "accounts.csv row 3 field opened_on: '2026-02-30' is not a date; write it as 2026-09-30",
        id="a day that is not in the calendar",
    ),
    pytest.param(
        "accounts.csv",
        "A-2,Filiale",
        "A-1,Filiale",
        "accounts.csv row 3 field account_key: 'A-1' stands in row 2 already; keys are unique",
        id="an account twice",
    ),
    pytest.param(
        "accounts.csv",
        ",A-1,EUR",
        ",A-9,EUR",
        "accounts.csv row 3 field payer_key: no account 'A-9'; add it or correct the key",
        id="a payer that is not there",
    ),
    pytest.param(
        "accounts.csv",
        ",A-1,EUR",
        ",A-1,CHF",
        "accounts.csv row 3 field currency: is CHF, but its payer's is EUR",
        id="a payer with another currency",
    ),
    pytest.param(
        "accounts.csv",
        "city,postal_code",
        "town,postal_code",
        "accounts.csv row 1 field city: this column is missing; add it",
        id="a column missing",
    ),
    pytest.param(
        "accounts.csv",
        "opened_on,payer_key",
        "opend_on,payer_key",
        "accounts.csv row 1 field opend_on: is no known column; did you mean 'opened_on'?",
        id="a column misspelt",
    ),
    pytest.param(
        "accounts.csv",
        "A-2,Filiale,",
        "A-2,Filiale, Nord,",
        "accounts.csv row 3: has more cells than the header; quote cells with commas",
        id="a comma too many",
    ),
    pytest.param(
        "subscriptions.csv",
        "A-1,basic",
        "A-1,basci",
        "subscriptions.csv row 2 field plan_key: no plan 'basci'; add it or correct the key",
        id="an unknown plan",
    ),
    pytest.param(
        "subscriptions.csv",
        "S-2,A-2,basic,2026-02-01,2026-12-01",
        "S-2,A-2,basic,2026-02-01,2026-02-01",
        "subscriptions.csv row 3 field ended_on: must be after started_on; it is the first day,"
        " or instant, no longer covered",
        id="a subscription of no days",
    ),
    pytest.param(
        "subscriptions.csv",
        "S-1,A-1,basic,2026-02-01",
        "S-1,A-1,basic,2026-01-01",
        "subscriptions.csv row 2 field started_on: is before account A-1 was opened, 2026-01-31",
        id="a subscription older than its account",
    ),
    pytest.param(
        "subscriptions.csv",
        "2.5",
        "2,5",
        "subscriptions.csv row 3: has more cells than the header; quote cells with commas",
        id="a decimal comma",
    ),
    pytest.param(
        "service_identifiers.csv",
        "S-1,,2026-06-15 12:00",
        "S-1,,2026-06-16 12:00",
        "service_identifiers.csv row 3 field identifier: 493012345 belongs to the subscription of"
        " row 2 at the same time; end that row with valid_until",
        id="an identifier owned twice",
    ),
    pytest.param(
        "service_identifiers.csv",
        "493099999,S-2,2026-06-01",
        "493099999,S-2,2026-03-29 02:30",
        "service_identifiers.csv row 4 field valid_from: '2026-03-29 02:30' does not exist in"
        " Europe/Berlin: clocks go forward",
        id="a time that clocks skip",
    ),
    pytest.param(
        "service_identifiers.csv",
        "493099999,",
        "+493099999,",
        "service_identifiers.csv row 4 field identifier: starts with +; write the digits only,"
        " as usage events carry them",
        id="a plus sign",
    ),
    pytest.param(
        "plans.yaml",
        "card: retail",
        "card: supplier",
        "plans.yaml row 20 field plans/basic/prices/international/card: rate card 'supplier' is of"
        " kind supplier, but card needs kind retail",
        id="a supplier's deck sold",
    ),
    pytest.param(
        "plans.yaml",
        "prices: [minutes]",
        "prices: [monthly]",
        "plans.yaml row 23 field plans/basic/included_units/free/prices/0: 'monthly' is no usage"
        " price, so units of it cannot be included",
        id="included units of a fee",
    ),
    pytest.param(
        "plans.yaml",
        "{key: setup, product: setup, model: one_time, amount: 5}",
        "{key: monthly, product: setup, model: one_time, amount: 5}",
        "plans.yaml row 7 field plans/basic/prices/monthly/valid_from: is valid at the same time as"
        " another price of this key; end the earlier one",
        id="two prices of one key on the same day",
    ),
    pytest.param(
        "plans.yaml",
        "product: loyalty",
        "product: calls",
        "plans.yaml row 25 field discounts/ten/product: product 'calls' is of kind usage, but this"
        " needs kind discount",
        id="a discount without discount product",
    ),
    pytest.param(
        "taxes.yaml",
        "tax_rates:\n",
        "tax_rates:\n  - {key: de, country: DE, tax_code: S, percent: 16, label: USt. 16 %}\n",
        "taxes.yaml row 3 field tax_rates/de/valid_from: is valid at the same time as another rate"
        " of this key; end the earlier one",
        id="two tax rates at once",
    ),
    pytest.param(
        "products.yaml",
        FILES["products.yaml"],
        "",
        "products.yaml row 1: is empty",
        id="an empty YAML file",
    ),
    pytest.param(
        "feeds/calls.yaml",
        "key: calls",
        "key: cdrs",
        "feeds/calls.yaml row 1 field key: is 'cdrs', but the file is 'feeds/calls.yaml'; make them"
        " equal",
        id="a feed in a file of another name",
    ),
    pytest.param(
        "subscriptions.csv",
        "2.5",
        "-2",
        "subscriptions.csv row 3 field quantity: is below zero; end the subscription instead",
        id="a negative quantity",
    ),
    pytest.param(
        "accounts.csv",
        'A-1,"Muster, Söhne & Co",2026-01-31,',
        'A-1,"Muster, Söhne & Co",2026-01-31,A-2',
        "accounts.csv row 2 field payer_key: A-2 is itself paid by A-1; name the account that pays",
        id="accounts that pay for each other",
    ),
]


@pytest.mark.parametrize(("file", "old", "new", "message"), MISTAKES)
def test_a_mistake_gives_a_message_that_tells_what_to_do(
    folder: Path, file: str, old: str, new: str, message: str
) -> None:
    mistakes_after(folder, file, old, new)

    found = refusal_of(folder)

    assert any(problem.startswith(message.replace(" field:", ":")) for problem in found), found


def test_a_plan_in_another_currency_than_the_account_is_refused(folder: Path) -> None:
    mistakes_after(folder, "plans.yaml", "    currency: EUR", "    currency: USD")

    found = refusal_of(folder)

    assert (
        "subscriptions.csv row 2 field plan_key: plan basic is in USD, but account A-1 is billed"
        " in EUR" in found
    )
    assert any("rate card 'retail' is in EUR, the plan in USD" in problem for problem in found)


def test_all_mistakes_of_all_files_come_at_once(folder: Path) -> None:
    mistakes_after(folder, "tenant.yaml", "currency: EUR", "currency: euro")
    mistakes_after(folder, "plans.yaml", "    currency: EUR\n", "")
    mistakes_after(folder, "accounts.csv", "2026-01-31", "31.01.2026")
    (folder / "product.yaml").write_text("products: []\n", encoding="utf-8")

    found = refusal_of(folder)

    assert [problem.split(":", 1)[0] for problem in found] == [
        "accounts.csv row 2 field opened_on",
        "plans.yaml row 2 field plans/basic/currency",
        "product.yaml",
        "tenant.yaml row 10 field currency",
    ]
    assert "product.yaml: is no file of a tenant folder; did you mean 'products.yaml'?" in found


def test_a_mistake_repeated_down_a_column_is_counted(folder: Path) -> None:
    header = FILES["accounts.csv"].splitlines()[0]
    rows = [f"A-{n},Name,yesterday,,,,Weg,Berlin,10115,DE" for n in range(1, 101)]
    (folder / "accounts.csv").write_text("\n".join([header, *rows]), encoding="utf-8")

    found = [line for line in refusal_of(folder) if line.startswith("accounts.csv")]

    assert len(found) == 21
    assert "accounts.csv field opened_on: the same mistake in 80 more row(s)" in found


def test_a_rate_card_file_without_header_entry_is_refused(folder: Path) -> None:
    (folder / "rate_cards" / "extra.csv").write_text("prefix,name,unit_price\n", encoding="utf-8")

    assert refusal_of(folder) == [
        "rate_cards/extra.csv: no card of this name in rate_cards.yaml; add its header there"
    ]


def test_a_rate_card_without_rows_is_refused(folder: Path) -> None:
    (folder / "rate_cards" / "supplier.csv").unlink()

    assert refusal_of(folder) == [
        (
            "rate_cards.yaml row 7 field rate_cards/supplier: has no rows; put them into"
            " rate_cards/supplier.csv"
        )
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"", "row 1: is empty; it needs the header account_key,name", id="empty"),
        pytest.param(
            b"account_key;name;opened_on\n1;2;3\n",
            "row 1: columns are not separated by commas; save it with commas",
            id="semicolons",
        ),
        pytest.param(FILES["accounts.csv"].encode("cp1252"), "row 2: is not UTF-8", id="not UTF-8"),
    ],
)
def test_a_table_that_cannot_be_read_is_named(folder: Path, content: bytes, message: str) -> None:
    (folder / "accounts.csv").write_bytes(content)

    assert any(line.startswith(f"accounts.csv {message}") for line in refusal_of(folder))


def test_an_alias_is_refused(folder: Path) -> None:
    mistakes_after(folder, "tenant.yaml", "name: Acme Voice\n", "name: &name Acme Voice\n")
    mistakes_after(folder, "tenant.yaml", "  name: Acme Voice Ltd\n", "  name: *name\n")

    assert refusal_of(folder) == [
        "tenant.yaml row 2: anchors and aliases are not taken; write the value out"
    ]


def test_a_yaml_file_in_another_encoding_is_named(folder: Path) -> None:
    (folder / "tenant.yaml").write_bytes("name: Büro".encode("cp1252"))

    assert "tenant.yaml: is not UTF-8; save it as UTF-8" in refusal_of(folder)


def test_a_file_of_another_kind_among_the_feeds_is_named(folder: Path) -> None:
    (folder / "feeds" / "notes.txt").write_text("later", encoding="utf-8")

    assert refusal_of(folder) == ["feeds/notes.txt: must be a .yaml file here"]


def test_a_byte_order_mark_is_no_part_of_the_header(folder: Path) -> None:
    marked = b"\xef\xbb\xbf" + FILES["accounts.csv"].encode()
    (folder / "accounts.csv").write_bytes(marked)

    assert read_tenant_folder(folder).accounts.height == 2


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert refusal_of(tmp_path / "nowhere") == [f"{tmp_path / 'nowhere'}: there is no such folder"]


def test_the_catalog_comes_back_from_its_entries(folder: Path) -> None:
    read = read_tenant_folder(folder)

    entries = catalog_entries(read.catalog, read.feeds)
    back = catalog_from_entries(entries)

    assert back == read.catalog
    assert feeds_from_entries(entries) == read.feeds
    assert catalog_entries(back, read.feeds).equals(entries)


def test_categories_are_read_kept_and_written_back(folder: Path, tmp_path: Path) -> None:
    mistakes_after(
        folder, "products.yaml", "products:\n",
        "product_categories: [{key: voice, name: Voice}]\nproducts:\n",
    )  # fmt: skip
    mistakes_after(folder, "products.yaml", "kind: usage", "kind: usage, category: voice")
    mistakes_after(folder, "plans.yaml", "percent_off: 10", "percent_off: 10, categories: [voice]")
    read = read_tenant_folder(folder)

    entries = catalog_entries(read.catalog, read.feeds)
    again = catalog_from_entries(entries)
    tables = {
        "accounts": read.accounts,
        "subscriptions": read.subscriptions,
        "rate_card_prices": read.rate_card_prices,
    }
    write_tenant_folder(tmp_path / "again" / "acme", read.tenant, again, (), tables)
    written = read_tenant_folder(tmp_path / "again" / "acme").catalog

    assert again == read.catalog
    assert written.categories == read.catalog.categories
    assert [(one.key, one.category) for one in written.products][:2] == [
        ("access", None),
        ("calls", "voice"),
    ]
    assert written.discounts[0].categories == ["voice"]


def test_a_discount_on_a_category_without_products_is_refused(folder: Path) -> None:
    mistakes_after(
        folder, "products.yaml", "products:\n",
        "product_categories: [{key: voice, name: Voice}]\nproducts:\n",
    )  # fmt: skip
    mistakes_after(folder, "plans.yaml", "percent_off: 10", "percent_off: 10, categories: [voice]")

    assert refusal_of(folder) == [
        (
            "plans.yaml row 25 field discounts/ten/categories/0: no product is of category"
            " 'voice', so nothing would be reduced"
        )
    ]


KEPT_FIRST = {
    "product": "key kind name section tax_category",
    "discount": "amount_off key name percent_off periods priority product products until",
    "tax_rate": "category country exemption is_included key label parts percent region"
    " requires_vat_number tax_code valid_from valid_until",
    "rate_card": "bands charged_by currency examples highest_price holidays increment_units key"
    " kind minimum_units pricing_unit",
}
"""Fields of stored documents before any came later: what does not use those is kept as before."""


@pytest.mark.parametrize("kind", KEPT_FIRST)
def test_what_uses_no_field_that_came_later_is_kept_as_before(folder: Path, kind: str) -> None:
    catalog = read_tenant_folder(folder).catalog

    entries = catalog_entries(catalog, ())

    documents = entries.filter(pl.col("kind") == kind)["document"]
    assert {" ".join(sorted(json.loads(document))) for document in documents} == {KEPT_FIRST[kind]}


def test_a_tenant_that_uses_no_field_that_came_later_is_kept_as_before(folder: Path) -> None:
    later = {"branding_in_locales", "creditor_identifier", "rounding_up_to_minor", "category"}
    rule = "rules: [{role: revenue, product: calls, ledger_account: 8401}]"
    mistakes_after(folder, "tenant.yaml", "tax: 1776", f"tax: 1776, {rule}")
    tenant = read_tenant_folder(folder).tenant

    kept = tenant_document(tenant)

    assert [name for name in later if f'"{name}"' in kept] == []
    assert Tenant.model_validate_json(kept) == tenant
    said = tenant.model_copy(update={"branding_in_locales": {"en": BrandWords(tagline="Hi")}})
    assert Tenant.model_validate_json(tenant_document(said)) == said


def test_the_order_of_a_file_comes_back_too(folder: Path) -> None:
    first = "tax_rates:\n"
    mistakes_after(
        folder, "taxes.yaml", first, f"{first}  - {{key: zz, tax_code: G, percent: 0, label: Z}}\n"
    )
    catalog = read_tenant_folder(folder).catalog

    back = catalog_from_entries(catalog_entries(catalog, ()))

    assert [rate.key for rate in back.tax_rates] == ["zz", "de"]


def test_entries_without_a_kept_order_come_back_by_key(folder: Path) -> None:
    catalog = read_tenant_folder(folder).catalog
    entries = catalog_entries(catalog, ()).filter(pl.col("kind") != ORDER)

    back = catalog_from_entries(entries)

    keys = [product.key for product in back.products]
    assert keys == sorted(product.key for product in catalog.products)


def test_each_price_is_an_entry_with_its_own_validity(folder: Path) -> None:
    monthly = "      - {key: monthly, product: access, model: flat, amount: "
    two_prices = f"{monthly}20, valid_until: 2026-07-01}}\n{monthly}22, valid_from: 2026-07-01}}\n"
    mistakes_after(folder, "plans.yaml", f"{monthly}20.00}}\n", two_prices)
    read: TenantFolder = read_tenant_folder(folder)

    entries = CATALOG_ENTRIES.conform(catalog_entries(read.catalog, read.feeds))
    prices = entries.filter(pl.col("entry_key").str.starts_with("basic/monthly/"))

    assert prices.select("kind", "entry_key", "valid_from", "valid_until").rows() == [
        ("price", "basic/monthly/2000-01-01", dt.date(2000, 1, 1), dt.date(2026, 7, 1)),
        ("price", "basic/monthly/2026-07-01", dt.date(2026, 7, 1), None),
    ]
    assert entries.select("kind", "entry_key").is_unique().all()


def test_many_accounts_are_all_read(folder: Path) -> None:
    header = FILES["accounts.csv"].splitlines()[0]
    rows = (f"A-{n},Name {n},2026-01-31,,,,Weg 1,Berlin,10115,DE" for n in range(1, 20_001))
    (folder / "accounts.csv").write_text("\n".join([header, *rows]), encoding="utf-8")

    read = read_tenant_folder(folder)

    assert read.accounts.height == 20_000


def test_a_folder_may_carry_the_day_it_begins_to_hold(folder: Path) -> None:
    dated = folder.rename(folder.with_name("acme@2026-10-05"))

    assert read_tenant_folder(dated).tenant.key == "acme"


def test_every_file_of_a_folder_has_a_published_schema() -> None:
    schemas = folder_schemas()

    assert sorted(schemas) == [
        "accounts", "agreed_prices", "feed", "plans", "prices", "products", "rate_card",
        "rate_cards", "service_identifiers", "subscription_changes", "subscription_discounts",
        "subscriptions", "taxes", "tenant",
    ]  # fmt: skip
    assert all(schema["type"] == "object" for schema in schemas.values())


def test_the_schema_of_a_table_says_what_its_cells_hold() -> None:
    changes = folder_schemas()["subscription_changes"]

    assert changes["required"] == ["subscription_key", "effective_on"]
    assert changes["properties"] == {
        "subscription_key": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$"},
        "effective_on": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"},
        "takes_effect": {"type": "string", "enum": ["", "on_the_day", "period_end"]},
        "plan_key": {
            "anyOf": [
                {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$"},
                {"const": ""},
            ]
        },
        "quantity": {
            "anyOf": [
                {"type": "string", "pattern": r"^-?[0-9]{1,18}(\.[0-9]{1,10})?$"},
                {"const": ""},
            ]
        },
        "status": {"type": "string", "enum": ["", "active", "suspended", "cancelled"]},
    }


ROUNDED = """\
product_categories: []
increments: {increment: 60}
products:
  - {key: access, name: Access, kind: recurring}
  - {key: calls, name: Calls, kind: usage, increments: {minimum: 30, increment: 6}}
  - {key: data, name: Data, kind: usage}
  - {key: setup, name: Set-up, kind: one_time}
  - {key: loyalty, name: Loyalty, kind: discount}
"""
PRICE = """\
      - {key: %s, product: %s, model: per_unit, applies_to: {usage_type: %s}, amount: 1%s}
      - key: minutes
"""


def test_a_price_is_rounded_by_its_own_rule_or_its_products_or_the_tenants(folder: Path) -> None:
    (folder / "products.yaml").write_text(ROUNDED)
    prices = [
        ("own", "calls", "sms", ", increments: {increment: 10}"),
        ("measured", "calls", "mms", ", increments: {}"),
        ("data", "data", "data", ""),
    ]
    for price in prices:
        mistakes_after(folder, "plans.yaml", "      - key: minutes\n", PRICE % price)

    (folder / "prices.yaml").write_text(
        "prices:\n  - key: ours\n    account: A-1\n    price: {key: minutes, product: calls,"
        " model: per_unit, applies_to: {usage_type: voice}, amount: 0.01}\n"
    )

    catalog = read_tenant_folder(folder).catalog

    plan = catalog.plan_by_key["basic"]
    assert getattr(catalog.negotiated[0].price, "increments", None) == Increment(
        minimum=Decimal(30), increment=Decimal(6)
    )
    of_price = {price.key: getattr(price, "increments", None) for price in plan.prices}
    assert of_price["own"] == Increment(increment=Decimal(10))
    assert of_price["measured"] == Increment()
    assert of_price["minutes"] == Increment(minimum=Decimal(30), increment=Decimal(6))
    assert of_price["data"] == Increment(increment=Decimal(60))
    assert of_price["monthly"] is None


def test_a_price_that_cannot_be_rounded_as_its_product_is_refused(folder: Path) -> None:
    """Spans of a split call are rounded up one by one, never down."""
    (folder / "products.yaml").write_text(
        ROUNDED.replace("increments: {increment: 60}", "increments: {rounding: down}")
    )
    split = (
        "      - {key: bands, product: data, model: time_of_day, applies_to: {usage_type: data},"
        " charged_by: split, amount: 1, bands: [{key: all, amount: 1}]}\n      - key: minutes\n"
    )
    mistakes_after(folder, "plans.yaml", "      - key: minutes\n", split)

    with pytest.raises(ConfigurationRefused) as refused:
        read_tenant_folder(folder)

    (problem,) = refused.value.problems
    assert str(problem).startswith("plans.yaml row 8 field plans/basic/prices/bands")
    assert "cannot take the increments of products.yaml" in str(problem)


def test_an_agreed_price_that_no_installed_package_prices_is_refused(folder: Path) -> None:
    (folder / "prices.yaml").write_text(
        "prices:\n  - key: ours\n    account: A-1\n    price: {key: minutes, product: calls,"
        " model: plugin, plugin: odd, applies_to: {usage_type: voice}}\n"
    )

    with pytest.raises(ConfigurationRefused) as refused:
        read_tenant_folder(folder)

    said = [str(problem) for problem in refused.value.problems]
    assert any("prices/ours/price/plugin: no installed package" in one for one in said), said
