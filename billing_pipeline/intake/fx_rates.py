"""The file `fx_rates.csv`: exchange rates by day, each with its source."""

from collections import Counter

from billing_pipeline.catalog.fx_rates import FxRate
from billing_pipeline.intake.csv_tables import CsvColumn, read_table
from billing_pipeline.vocabulary.problems import Problem

FX_FILE = "fx_rates.csv"
_COLUMNS = (
    CsvColumn("from_currency", "currency", is_required=True),
    CsvColumn("to_currency", "currency", is_required=True),
    CsvColumn("rate", "decimal", is_required=True),
    CsvColumn("valid_from", "date", is_required=True),
    CsvColumn("source", is_required=True),
)


def read_fx_rates(content: bytes | None) -> tuple[tuple[FxRate, ...], tuple[Problem, ...]]:
    """The rates of the file and its mistakes; a pair has one rate a day."""
    if content is None:
        return (), ()
    table = read_table(FX_FILE, content, _COLUMNS)
    names = [column.name for column in _COLUMNS]
    rows = zip(*(table.frame[name].to_list() for name in names), strict=True)
    rates = tuple(FxRate.model_construct(**dict(zip(names, row, strict=True))) for row in rows)
    twice = sorted(key for key, count in Counter(rate.key for rate in rates).items() if count > 1)
    wrong = sorted(rate.key for rate in rates if rate.rate <= 0)
    messages = [f"has more than one rate for {key}" for key in twice]
    messages += [f"the rate of {key} is not above zero" for key in wrong]
    return rates, (*table.problems, *(Problem(FX_FILE, None, "rate", text) for text in messages))
