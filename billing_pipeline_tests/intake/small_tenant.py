"""A small, faultless tenant folder that tests copy and break."""

from pathlib import Path

FILES: dict[str, str] = {
    "tenant.yaml": """\
key: acme
name: Acme Voice
legal_entity:
  name: Acme Voice Ltd
  street: 1 Test Street
  city: Oslo
  postal_code: 0150
  country: NO
  email: billing@example.com
currency: EUR
time_zone: Europe/Berlin
locale: de_DE
payment_terms_days: 14
ledger_accounts: {receivable: 1200, revenue: 8400, tax: 1776}
""",
    "products.yaml": """\
products:
  - {key: access, name: Access, kind: recurring}
  - {key: calls, name: Calls, kind: usage}
  - {key: setup, name: Set-up, kind: one_time}
  - {key: loyalty, name: Loyalty, kind: discount}
""",
    "plans.yaml": """\
plans:
  - key: basic
    name: Basic
    currency: EUR
    prices:
      - {key: monthly, product: access, model: flat, amount: 20.00}
      - {key: setup, product: setup, model: one_time, amount: 5}
      - key: minutes
        product: calls
        model: per_unit
        applies_to: {usage_type: voice}
        amount: 0.05
        pricing_unit: 60
        unit: min
      - key: international
        product: calls
        model: rate_card
        applies_to: {usage_type: voice, attributes: {class: international}}
        priority: 50
        card: retail
        cost_deck: supplier
    included_units:
      - {key: free, units: 100, prices: [minutes]}
discounts:
  - {key: ten, name: Ten per cent, product: loyalty, percent_off: 10}
""",
    "taxes.yaml": """\
tax_rates:
  - {key: de, country: DE, tax_code: S, percent: 19, label: USt. 19 %}
""",
    "rate_cards.yaml": """\
rate_cards:
  - key: retail
    kind: retail
    currency: EUR
    bands:
      - {key: day, weekdays: [mon, tue], from_time: 08:00, until_time: 18:00}
  - {key: supplier, kind: supplier, currency: EUR}
""",
    "rate_cards/retail.csv": "prefix,name,unit_price,band\n44,UK,0.02,\n44,UK day,0.03,day\n",
    "rate_cards/supplier.csv": "prefix,name,unit_price\n44,UK,0.01\n447,UK mobile,\n",
    "feeds/calls.yaml": """\
key: calls
name: Calls
match: {file_name: 'calls.*\\.csv'}
frame: {framing: delimited, header: names}
null: ["", "NULL"]
fields:
  id: {required: true}
  began: {type: time, formats: ["%Y-%m-%d %H:%M:%S"], zone: Europe/Berlin}
  caller: {type: phone}
  seconds: {type: duration, source: 4}
numbers: {country: DE}
identity: [id]
event:
  usage_type: voice
  service_identifier: caller
  started_at: began
  quantity: seconds
  unit: s
""",
    "accounts.csv": """\
account_key,name,opened_on,payer_key,currency,payment_terms_days,street,city,postal_code,country
A-1,"Muster, Söhne & Co",2026-01-31,,,,Weg 1,Berlin,10115,DE
A-2,Filiale,2026-02-01,A-1,EUR,30,Weg 2,Berlin,10115,DE
""",
    "subscriptions.csv": """\
subscription_key,account_key,plan_key,started_on,ended_on,discount_key,quantity
S-1,A-1,basic,2026-02-01,,ten,
S-2,A-2,basic,2026-02-01,2026-12-01,,2.5
""",
    "service_identifiers.csv": """\
identifier,subscription_key,valid_from,valid_until
493012345,S-1,,2026-06-15 12:00
493012345,S-2,2026-06-15T12:00:00,
493099999,S-2,2026-06-01,2026-07-01
""",
}


def write_small_tenant(parent: Path) -> Path:
    """Write the folder `acme` under `parent`."""
    folder = parent / "acme"
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def mistakes_after(folder: Path, file: str, old: str, new: str) -> None:
    """Replace `old`, which must stand in the file, by `new`."""
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{old!r} does not stand in {file}"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
