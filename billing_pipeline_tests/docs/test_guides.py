"""The guides below `docs/`: what they show is read, checked and run."""

import datetime as dt
import re
import shlex
from pathlib import Path
from typing import NamedTuple

import click
import polars as pl
import pytest

from billing_pipeline.catalog.agreements import NegotiatedPrices
from billing_pipeline.catalog.deck_layouts import FileLayout
from billing_pipeline.catalog.feed_arrival import Arrival
from billing_pipeline.catalog.feed_expressions import parse_expression
from billing_pipeline.catalog.feeds import Feed
from billing_pipeline.catalog.plans import Plan, Plans, Products
from billing_pipeline.catalog.rate_cards import RateCards
from billing_pipeline.catalog.taxes import Taxes, TaxRate
from billing_pipeline.cli import billing
from billing_pipeline.customers.policies import SuspensePolicy
from billing_pipeline.documents.template_sets import TemplateSettings
from billing_pipeline.intake.model_problems import parse_document
from billing_pipeline.intake.tenant_folder import read_tenant_folder
from billing_pipeline.intake.yaml_files import read_yaml
from billing_pipeline.orchestration.simulate import simulate
from billing_pipeline.orchestration.throwaway import installation_below
from billing_pipeline.rating.models.registry import EVENT_MODELS
from billing_pipeline.vocabulary.configuration import Configuration
from billing_pipeline.vocabulary.problems import ConfigurationRefused

GUIDES = Path(__file__).parents[2] / "docs"
FENCE = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    guide: str
    language: str
    what: str
    text: str


MODELS = {"flat", "one_time", "plugin", *EVENT_MODELS}


def blocks_of(guide: Path) -> list[Block]:
    found = FENCE.findall(guide.read_text(encoding="utf-8"))
    return [Block(guide.name, language, what, text) for language, what, text in found]


BLOCKS = [block for guide in sorted(GUIDES.glob("*.md")) for block in blocks_of(guide)]
COMMANDS = [
    (block.guide, line.removeprefix("$ billing "))
    for block in BLOCKS
    if block.language == "console"
    for line in block.text.splitlines()
    if line.startswith("$ billing ")
]


def shown(what: str) -> list[Block]:
    return [block for block in BLOCKS if block.what == what]


def write_files(guide: str, directory: Path) -> None:
    """Write the blocks that say `file=<path>`."""
    for block in BLOCKS:
        if block.guide == guide and block.what.startswith("file="):
            path = directory / block.what.removeprefix("file=")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")


def problems_of(text: str, model: type[Configuration]) -> list[str]:
    _, problems = parse_document(read_yaml("guide.yaml", text), model)
    return [str(problem) for problem in problems]


def as_plan(prices: str) -> str:
    """A list of prices as the plan they stand in."""
    lines = "".join(f"  {line}\n" for line in prices.splitlines())
    return f"key: shown\nname: Shown\ncurrency: GBP\nprices:\n{lines}"


def as_item(price: str) -> str:
    """A mapping as the only item of a list."""
    first, *rest = price.splitlines()
    return "\n".join([f"- {first}", *(f"  {line}" for line in rest)])


@pytest.mark.parametrize(("guide", "command"), COMMANDS)
def test_every_command_shown_is_one_there_is(guide: str, command: str) -> None:
    words = shlex.split(command)
    found: click.Command = billing
    while isinstance(found, click.Group) and words and not words[0].startswith("-"):
        named = found.commands.get(words.pop(0))
        assert named is not None, f"{guide}: {command}"
        found = named
    _, left, _ = found.make_parser(click.Context(found)).parse_args(words)
    assert left == [], f"{guide}: {command} has words too many"


def test_the_tenant_of_the_guide_is_faultless(tmp_path: Path) -> None:
    write_files("configure-a-tenant.md", tmp_path)

    folder = read_tenant_folder(tmp_path / "acme")

    assert folder.accounts.height == 1
    assert folder.feeds[0].key == "calls"


@pytest.mark.scenario
@pytest.mark.postgres
def test_the_tenant_of_the_guide_gets_the_invoice_it_tells(
    database_url: str, tmp_path: Path
) -> None:
    write_files("configure-a-tenant.md", tmp_path / "given")
    installation = installation_below(tmp_path, database_url)

    simulate(installation, tmp_path / "given" / "acme", dt.date(2026, 2, 1), tmp_path / "out")

    invoices = pl.read_csv(tmp_path / "out" / "invoices.csv")
    amounts = invoices.select("invoice_number", "net_minor", "tax_minor", "total_minor")
    assert amounts.rows() == [("AC-2026-00001", 2500, 500, 3000)]


@pytest.mark.parametrize("block", shown("price"), ids=lambda block: block.text.split("\n")[0])
def test_a_price_shown_is_a_price(block: Block) -> None:
    assert problems_of(as_plan(as_item(block.text)), Plan) == []


def test_other_examples_are_what_they_say() -> None:
    assert [problems_of(as_plan(block.text), Plan) for block in shown("prices")] == [[], []]
    assert [problems_of(block.text, Plans) for block in shown("plans")] == [[], [], []]
    assert [problems_of(block.text, Products) for block in shown("products")] == [[]]
    assert [problems_of(block.text, NegotiatedPrices) for block in shown("negotiated")] == [[]]
    assert [problems_of(block.text, RateCards) for block in shown("rate_cards")] == [[], []]
    assert [problems_of(block.text, FileLayout) for block in shown("layout")] == [[]]


def test_the_guide_shows_every_price_model() -> None:
    shown_prices = [*shown("price"), *shown("prices")]
    told = "\n".join(block.text for block in shown_prices)

    assert [name for name in sorted(MODELS) if f"model: {name}\n" not in told] == []


def test_the_feeds_shown_are_feeds() -> None:
    feeds = [*shown("feed"), *shown("file=voip.yaml")]

    assert len(feeds) == 5
    assert [problems_of(block.text, Feed) for block in feeds] == [[]] * 5


def test_the_expressions_shown_are_expressions() -> None:
    (block,) = shown("expressions")
    expressions = read_yaml("guide.yaml", block.text).value

    assert isinstance(expressions, list)
    assert len(expressions) > 5
    for expression in expressions:
        assert parse_expression(str(expression)) is not None


MISTAKES = [
    ("plans.yaml", "    currency: GBP\n", ""),
    ("subscriptions.csv", "A-1,basic", "A-1,basci"),
    ("accounts.csv", "2026-01-01", "31.01.2026"),
]


def test_the_refusals_shown_are_the_ones_people_get(tmp_path: Path) -> None:
    (told,) = [block.text.splitlines() for block in BLOCKS if block.language == "text"]

    got = [
        refusal_after(tmp_path / str(number), *mistake) for number, mistake in enumerate(MISTAKES)
    ]

    assert got == told


def refusal_after(directory: Path, file: str, old: str, new: str) -> str:
    write_files("configure-a-tenant.md", directory)
    path = directory / "acme" / file
    path.write_text(path.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigurationRefused) as refused:
        read_tenant_folder(directory / "acme")
    (problem,) = refused.value.problems
    return str(problem)


def test_the_templates_and_taxes_shown_are_understood() -> None:
    templates, taxes = shown("template"), shown("tax")

    assert [problems_of(block.text, TemplateSettings) for block in templates] == [[]]
    assert [problems_of(block.text, TaxRate) for block in taxes] == [[]]


class ShownSuspense(Configuration):
    suspense: SuspensePolicy


class ShownArrival(Configuration):
    arrival: Arrival


def test_the_policies_shown_are_policies() -> None:
    (suspense,) = shown("suspense")
    (arrival,) = shown("arrival")

    assert problems_of(suspense.text, ShownSuspense) == []
    assert problems_of(arrival.text, ShownArrival) == []


@pytest.mark.parametrize(
    "path", sorted((GUIDES / "tax-tables").glob("*.yaml")), ids=lambda p: p.stem
)
def test_the_sample_tax_tables_are_tax_files_and_say_their_date(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert problems_of(text, Taxes) == []
    assert "written 2026-11-22" in text.splitlines()[0]
