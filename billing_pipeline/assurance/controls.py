"""Controls over money: charged, invoiced and booked agree to the minor unit; nothing twice.

Every control is a pure function from frames to FINDINGS; no finding means the facts agree.
"""

import polars as pl

from billing_pipeline.assurance.findings import all_findings, findings

_LINE_KEYS = ["charge_key", "posting_number"]


def lines_match_charges(posted: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """Posted charges and invoice lines are the same postings with the same amounts.

    Args:
        posted: one row per posting of a charge: charge_key, posting_number, amount_minor.
        lines: INVOICE_LINES.
    """
    amounts = lines.select(*_LINE_KEYS, line_minor="net_minor")
    both = posted.select(*_LINE_KEYS, "amount_minor").join(
        amounts, on=_LINE_KEYS, how="full", coalesce=True
    )
    wrong = both.filter(~pl.col("amount_minor").eq_missing(pl.col("line_minor")))
    return findings(
        wrong,
        control="charges_equal_invoice_lines",
        severity="block",
        subject=pl.concat_str("charge_key", pl.lit("#"), pl.col("posting_number").cast(pl.String)),
        message=pl.format(
            "posted with {} minor units, invoiced with {}. Hold the documents of this run and "
            "compare the charge with its line by its trace.",
            _shown("amount_minor"),
            _shown("line_minor"),
        ),
    )


def documents_match_lines(
    documents: pl.DataFrame, lines: pl.DataFrame, taxes: pl.DataFrame
) -> pl.DataFrame:
    """A document's net is the sum of its lines, its tax of its tax groups, its total of both.

    Args:
        documents: INVOICES.
        lines: INVOICE_LINES.
        taxes: INVOICE_TAXES.
    """
    nets = lines.group_by("invoice_key").agg(lines_minor=pl.col("net_minor").sum())
    groups = taxes.group_by("invoice_key").agg(
        groups_minor=pl.col("tax_minor").sum(), bases_minor=pl.col("base_minor").sum()
    )
    judged = documents.join(nets, on="invoice_key", how="left", validate="1:1").join(
        groups, on="invoice_key", how="left", validate="1:1"
    )
    agrees = (
        pl.col("net_minor").eq_missing(pl.col("lines_minor"))
        & (pl.col("tax_minor") == pl.col("groups_minor").fill_null(0))
        & pl.col("bases_minor").eq_missing(pl.col("lines_minor"))
        & (pl.col("total_minor") == pl.col("net_minor") + pl.col("tax_minor"))
    )
    return findings(
        judged.filter(~agrees),
        control="documents_equal_their_lines",
        severity="block",
        subject=pl.col("invoice_key"),
        message=pl.format(
            "says net {}, tax {}, total {}; its lines sum to {}, its tax groups to {} on {}. Do "
            "not send it: correct it with a credit note and a new document.",
            "net_minor",
            "tax_minor",
            "total_minor",
            _shown("lines_minor"),
            _shown("groups_minor"),
            _shown("bases_minor"),
        ),
    )


def journal_matches_documents(documents: pl.DataFrame, journal: pl.DataFrame) -> pl.DataFrame:
    """Every document is booked once, receivable and tax as it says; nothing else is booked.

    Args:
        documents: INVOICES columns and `invoice_number`.
        journal: JOURNAL rows of the rules `invoice` and `credit_note`.
    """
    amount = pl.col("amount_minor")
    booked = journal.group_by("source_key").agg(
        entries=pl.col("entry_number").n_unique(),
        receivable_minor=amount.filter(pl.col("role") == "receivable").sum(),
        tax_booked_minor=-amount.filter(pl.col("role") == "tax").sum(),
    )
    due = documents.select("total_minor", "tax_minor", source_key="invoice_number")
    both = due.join(booked, on="source_key", how="full", coalesce=True)
    agrees = (
        (pl.col("entries") == 1)
        & (pl.col("total_minor") == pl.col("receivable_minor"))
        & (pl.col("tax_minor") == pl.col("tax_booked_minor"))
    )
    # A document of zero on every line moves no account and has no entry.
    nothing_to_book = (pl.col("total_minor") == 0) & pl.col("entries").is_null()
    return findings(
        both.filter(~(agrees.fill_null(value=False) | nothing_to_book.fill_null(value=False))),
        control="journal_equals_documents",
        severity="block",
        subject=pl.col("source_key"),
        message=pl.format(
            "the document says total {} and tax {}, {} journal entries say {} and {}. Hold the "
            "hand-off; book the difference with a reversal and a new entry.",
            _shown("total_minor"),
            _shown("tax_minor"),
            _shown("entries"),
            _shown("receivable_minor"),
            _shown("tax_booked_minor"),
        ),
    )


def entries_balance(journal: pl.DataFrame) -> pl.DataFrame:
    """Debits equal credits in every entry and currency. `journal`: JOURNAL or POSTINGS rows."""
    sums = journal.group_by("entry_key", "currency").agg(pl.col("amount_minor").sum())
    return findings(
        sums.filter(pl.col("amount_minor") != 0),
        control="journal_balances",
        severity="block",
        subject=pl.col("entry_key"),
        message=pl.format(
            "off by {} minor units of {}. A booked row was changed by hand: compare with the last "
            "hand-off file and restore it.",
            "amount_minor",
            "currency",
        ),
    )


def numbers_without_gaps(numbers: pl.DataFrame) -> pl.DataFrame:
    """Numbers of a series run from 1 without gap and without repetition.

    Args:
        numbers: columns series, year, number: one row per issued document.
    """
    series = ["series", "year"]
    counted = numbers.group_by(*series).agg(
        missing=pl.int_range(1, pl.col("number").max() + 1)
        .implode()
        .list.set_difference(pl.col("number").implode())
        .list.sort(),
        repeated=pl.col("number").filter(pl.col("number").is_duplicated()).unique().sort(),
    )
    wrong = counted.filter((pl.col("missing").list.len() > 0) | (pl.col("repeated").list.len() > 0))
    return findings(
        wrong,
        control="number_series",
        severity="block",
        subject=pl.format("{} {}", "series", "year"),
        message=pl.format(
            "{} numbers are missing ({}), {} were given twice ({}). Find the documents before the "
            "series is used again; a deleted document needs a note for the auditor.",
            pl.col("missing").list.len(),
            _first_of("missing"),
            pl.col("repeated").list.len(),
            _first_of("repeated"),
        ),
    )


def charges_not_twice(charges: pl.DataFrame) -> pl.DataFrame:
    """No charge stands twice, and no price charges the same service day twice.

    Args:
        charges: CHARGES; corrections are postings of a charge, not charges.
    """
    what = ["account_key", "subscription_key", "price_key", "charge_kind"]
    repeated = charges.filter(pl.col("charge_key").is_duplicated()).unique("charge_key")
    periods = charges.unique("charge_key").sort("service_from", "charge_key")
    last_until = pl.col("service_until").cum_max().shift().over(what)
    overlapping = periods.filter(
        pl.col("charge_kind").is_in(["recurring", "usage", "minimum"]),
        pl.col("service_from") < last_until,
    )
    advice = pl.lit(" Hold the account's documents and look at its subscriptions and plans.")
    return all_findings(
        [
            findings(
                repeated,
                control="charge_once",
                severity="block",
                subject=pl.col("charge_key"),
                message=pl.lit("stands more than once among the charges.") + advice,
            ),
            findings(
                overlapping,
                control="service_period_once",
                severity="block",
                subject=pl.col("charge_key"),
                message=pl.format(
                    "{} is charged again from {}, within a period charged before.{}",
                    "price_key",
                    "service_from",
                    advice,
                ),
            ),
        ]
    )


def _shown(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.String).fill_null("nothing")


def _first_of(column: str) -> pl.Expr:
    shown = pl.col(column).list.head(10).cast(pl.List(pl.String)).list.join(", ")
    return pl.when(shown == "").then(pl.lit("none")).otherwise(shown)
