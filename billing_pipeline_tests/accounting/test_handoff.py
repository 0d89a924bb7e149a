import datetime as dt
import hashlib
import itertools
import json
import sys
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing_pipeline.accounting.handoff import registry
from billing_pipeline.accounting.handoff.batch import CurrencyTotal, HandoffFile, batch_of
from billing_pipeline.accounting.handoff.fields import decimal_text
from billing_pipeline.accounting.handoff.format import MappingRefused
from billing_pipeline.accounting.handoff.hand_off import hand_off, render_batch
from billing_pipeline.accounting.handoff.pairs import account_pairs
from billing_pipeline.accounting.handoff.registry import (
    OWN_FORMATS,
    UnknownFormat,
    handoff_format,
)
from billing_pipeline.accounting.journal import UnbalancedEntry
from billing_pipeline.accounting.schema import JOURNAL
from billing_pipeline_tests.accounting.builders import (
    CREDIT_NOTE,
    HANDED_OVER_AT,
    INVOICE,
    Document,
    journal_frame,
    tenant,
)


def handed(journal: pl.DataFrame, format_name: str = "journal_csv") -> list[HandoffFile]:
    return hand_off(
        journal,
        tenant(format_name=format_name),
        format_name,
        first_batch_number=3,
        created_at=HANDED_OVER_AT,
    )


def many_invoices(count: int) -> pl.DataFrame:
    return journal_frame([Document(f"INV-{n:04d}", [("calls", 100 + n)]) for n in range(count)])


def test_a_batch_counts_its_entries_and_totals_per_currency() -> None:
    yen = Document("INV-2026-000002", [("calls", 700)], currency="JPY")
    batch = handed(journal_frame([INVOICE, yen, CREDIT_NOTE]))[0].batch

    assert (batch.first_entry_number, batch.last_entry_number, batch.entries) == (1, 3, 3)
    assert batch.postings == 4 + 2 + 3
    # GBP debits: 30.00 receivable of the invoice, 1.00 + 0.20 of the credit note.
    assert batch.totals == (CurrencyTotal("GBP", 3120, 3120), CurrencyTotal("JPY", 700, 700))


def test_the_manifest_proves_the_file() -> None:
    file = handed(journal_frame([INVOICE]))[0]
    manifest = json.loads(file.manifest())

    assert manifest["sha256"] == hashlib.sha256(file.content).hexdigest()
    assert manifest["file_name"] == "voice-journal_csv-000003.csv"
    assert manifest["totals"] == [{"currency": "GBP", "debit_minor": 3000, "credit_minor": 3000}]
    assert manifest["created_at"] == "2026-02-02T03:04:05.678000+00:00"


def test_nothing_new_is_no_batch() -> None:
    assert handed(JOURNAL.empty()) == []


def test_a_batch_holds_at_least_one_entry() -> None:
    with pytest.raises(ValueError, match="at least one journal entry"):
        batch_of(
            JOURNAL.empty(),
            tenant_key="voice",
            format_name="journal_csv",
            batch_number=1,
            created_at=HANDED_OVER_AT,
        )


def test_an_unbalanced_journal_is_not_handed_over() -> None:
    tampered = journal_frame([INVOICE]).with_columns(
        amount_minor=pl.when(pl.col("role") == "tax").then(-501).otherwise("amount_minor")
    )

    with pytest.raises(UnbalancedEntry, match="INV-2026-000001"):
        handed(tampered)


def test_an_unknown_format_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(UnknownFormat, match="journal_csv"):
        handoff_format("abacus")


@pytest.mark.parametrize("format_name", ["journal_csv", "journal_json", "beancount"])
def test_rendering_a_batch_again_gives_the_same_bytes_whatever_the_row_order(
    format_name: str,
) -> None:
    journal = journal_frame([INVOICE, CREDIT_NOTE])
    first = handed(journal, format_name)[0]

    again = render_batch(journal.reverse(), first.batch, tenant(format_name=format_name))

    assert again.content == first.content


@pytest.mark.parametrize(
    ("format_name", "postings", "entries_per_file"),
    [
        pytest.param("xero_manual_journal", 301, [150, 150, 1], id="Xero takes 300 rows"),
        pytest.param("quickbooks_journal", 501, [500, 1], id="QuickBooks takes 1,000 rows"),
    ],
)
def test_a_journal_longer_than_a_file_becomes_several_batches_between_entries(
    format_name: str, postings: int, entries_per_file: list[int]
) -> None:
    files = handed(many_invoices(postings), format_name)

    assert [file.batch.entries for file in files] == entries_per_file
    assert [file.batch.batch_number for file in files] == list(range(3, 3 + len(files)))
    numbers = [(f.batch.first_entry_number, f.batch.last_entry_number) for f in files]
    assert numbers[0][0] == 1
    assert all(before[1] + 1 == after[0] for before, after in itertools.pairwise(numbers))


def test_an_entry_longer_than_a_file_is_refused_by_name() -> None:
    wide = journal_frame([Document("INV-1", [(f"p{n}", 1) for n in range(300)])])

    with pytest.raises(MappingRefused, match=r"at most 300 rows.*INV-1"):
        handed(wide, "xero_manual_journal")


def test_our_formats_stand_under_their_module_names() -> None:
    folder = Path(registry.__file__).parent
    modules = {
        path.stem for path in folder.glob("*.py") if "FORMAT = HandoffFormat(" in path.read_text()
    }

    assert set(OWN_FORMATS) == modules


def test_another_package_adds_a_format_by_entry_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "guest_format.py").write_text(
        "from dataclasses import replace\n"
        "from billing_pipeline.accounting.handoff.journal_csv import FORMAT\n"
        "GUEST = replace(FORMAT, name='guest')\n"
    )
    metadata = tmp_path / "guest-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: guest\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[{registry.GROUP}]\nguest = guest_format:GUEST\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    registry.handoff_formats.cache_clear()

    try:
        assert handoff_format("guest").name == "guest"
    finally:
        registry.handoff_formats.cache_clear()
        sys.modules.pop("guest_format", None)


@pytest.mark.parametrize(
    ("amount_minor", "currency", "expected"),
    [
        pytest.param(0, "GBP", "0.00", id="zero"),
        pytest.param(5, "GBP", "0.05", id="less than a tenth"),
        pytest.param(-123456, "GBP", "-1234.56", id="negative"),
        pytest.param(700, "JPY", "700", id="no decimals"),
        pytest.param(7, "KWD", "0.007", id="three decimals"),
    ],
)
def test_minor_units_are_written_with_their_currency_s_decimals(
    amount_minor: int, currency: str, expected: str
) -> None:
    frame = pl.DataFrame({"amount_minor": [amount_minor], "currency": [currency]})

    assert frame.select(decimal_text(pl.col("amount_minor"), [currency])).item() == expected


@settings(deadline=None)
@given(st.integers(min_value=-(2**62), max_value=2**62), st.sampled_from(["GBP", "JPY", "KWD"]))
def test_written_amounts_read_back_exactly(amount_minor: int, currency: str) -> None:
    frame = pl.DataFrame({"amount_minor": [amount_minor], "currency": [currency]})
    text = frame.select(decimal_text(pl.col("amount_minor"), [currency])).item()

    assert Decimal(text).scaleb({"GBP": 2, "JPY": 0, "KWD": 3}[currency]) == amount_minor


@settings(deadline=None)
@given(st.lists(st.integers(min_value=-1000, max_value=1000).filter(bool), min_size=1, max_size=8))
def test_pairs_move_the_same_money_between_the_same_accounts(amounts: list[int]) -> None:
    sides = [*amounts, -sum(amounts)]
    journal = pl.DataFrame(
        {
            "entry_number": 1,
            "entry_key": "manual/1",
            "posting_rule": "manual",
            "source_key": "1",
            "account_key": None,
            "booked_date": dt.date(2026, 1, 1),
            "currency": "GBP",
            "narration": "random",
            "due_date": None,
            "belongs_to": None,
            "reverses": None,
            "posting_number": range(1, len(sides) + 1),
            "ledger_account": [str(4000 + n) for n in range(len(sides))],
            "role": "revenue",
            "product_key": None,
            "tax_code": None,
            "tax_rate": None,
            "tax_base_minor": None,
            "cost_centre": None,
            "amount_minor": sides,
        },
        schema=JOURNAL.polars_schema,
    )
    pairs = account_pairs(journal)
    debits = pairs.group_by(account="ledger_account_debit").agg(pl.col("amount_minor").sum())
    credits_ = pairs.group_by(account="ledger_account_credit").agg(-pl.col("amount_minor").sum())

    moved = dict(pl.concat([debits, credits_]).rows())

    assert moved == {str(4000 + n): amount for n, amount in enumerate(sides) if amount}
    assert pairs.filter(pl.col("amount_minor") <= 0).is_empty()
