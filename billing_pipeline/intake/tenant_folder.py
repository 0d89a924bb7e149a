"""A tenant's configuration folder, read whole or refused whole with every mistake named."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import polars as pl

from billing_pipeline.catalog.agreements import NegotiatedPrices
from billing_pipeline.catalog.catalog import Catalog
from billing_pipeline.catalog.feed_versions import check_feed_versions, feed_file
from billing_pipeline.catalog.feeds import Feed
from billing_pipeline.catalog.inheritance import with_inherited, with_inherited_rows
from billing_pipeline.catalog.plans import Plans, Products
from billing_pipeline.catalog.rate_cards import RateCards
from billing_pipeline.catalog.schema import RATE_CARD_PRICES
from billing_pipeline.catalog.taxes import Taxes
from billing_pipeline.catalog.usual_increments import with_usual_increments
from billing_pipeline.customers.schema import ACCOUNTS, SERVICE_IDENTIFIERS, SUBSCRIPTIONS
from billing_pipeline.customers.tenant import Tenant
from billing_pipeline.intake import tenant_tables as tables
from billing_pipeline.intake.across_files import Customers, check_across_files
from billing_pipeline.intake.csv_tables import CsvTable
from billing_pipeline.intake.folder_above import folder_above
from billing_pipeline.intake.fx_rates import FX_FILE, read_fx_rates
from billing_pipeline.intake.model_problems import did_you_mean, parse_document, readable_path
from billing_pipeline.intake.subscription_terms import (
    TERMS_FILES,
    SubscriptionTerms,
    dated_terms,
    read_terms,
)
from billing_pipeline.intake.yaml_files import YamlDocument, line_of, read_yaml
from billing_pipeline.rating.card_examples import broken_examples
from billing_pipeline.vocabulary.configuration import Configuration
from billing_pipeline.vocabulary.problems import ConfigurationRefused, Problem

Model = TypeVar("Model", bound=Configuration)

TENANT_FILE = "tenant.yaml"
_YAML_FILES = (
    TENANT_FILE,
    "products.yaml",
    "plans.yaml",
    "prices.yaml",
    "taxes.yaml",
    "rate_cards.yaml",
)
_TABLE_FILES = (
    "accounts.csv",
    "subscriptions.csv",
    "service_identifiers.csv",
    FX_FILE,
    *TERMS_FILES,
)
_YAML_FOLDERS, _TABLE_FOLDERS = ("feeds",), ("rate_cards",)
# `usage` holds files to simulate with, `templates` belongs to the documents, a README to people.
_LEFT_ALONE = ("usage", "templates", "README.md")
_KNOWN = (*_YAML_FILES, *_TABLE_FILES, *_YAML_FOLDERS, *_TABLE_FOLDERS, *_LEFT_ALONE)


@dataclass(frozen=True)
class TenantFolder:
    """Everything one tenant configured, checked as a whole.

    `documents` holds the YAML files as they stand: path in the folder to text; `templates` the
    files of its `templates/` folder, which the room of the documents reads. `sold` is the catalog
    with what is inherited, `sold_prices` the rows of its cards.
    """

    tenant: Tenant
    catalog: Catalog
    feeds: tuple[Feed, ...]
    accounts: pl.DataFrame
    subscriptions: pl.DataFrame
    service_identifiers: pl.DataFrame
    terms: SubscriptionTerms
    rate_card_prices: pl.DataFrame
    documents: dict[str, str]
    sold: Catalog
    sold_prices: pl.DataFrame
    templates: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Folder:
    """The folder while it is read: what its YAML files say and every mistake found so far."""

    directory: Path
    documents: Mapping[str, YamlDocument]
    problems: list[Problem]

    def model(self, file: str, model: type[Model]) -> Model | None:
        """The file as a model; None if it is absent or wrong."""
        if file not in self.documents:
            return None
        parsed, problems = parse_document(self.documents[file], model)
        self.problems.extend(problems)
        return parsed

    def table(self, table: CsvTable) -> pl.DataFrame:
        """The good rows of a table, its mistakes put with the others."""
        self.problems.extend(table.problems)
        return table.frame

    def content(self, file: str) -> bytes | None:
        """The bytes of a file of the folder; None if it is absent."""
        path = self.directory / file
        return path.read_bytes() if path.is_file() else None


def read_tenant_folder(directory: Path) -> TenantFolder:
    """Read and check a tenant's folder.

    Raises: ConfigurationRefused with all mistakes. Checks across files run once every file can
    be read by itself.
    """
    if not (directory / TENANT_FILE).is_file():
        where = "there is no such folder" if not directory.is_dir() else "has no tenant.yaml"
        raise ConfigurationRefused([Problem(str(directory), None, None, where)])
    folder = _open(directory)
    tenant = folder.model(TENANT_FILE, Tenant)
    catalog = _catalog(folder)
    feeds = _feeds(folder)
    accounts = folder.table(tables.accounts(folder.content("accounts.csv"), tenant))
    subscriptions = folder.table(tables.subscriptions(folder.content("subscriptions.csv")))
    identifiers = folder.table(
        tables.service_identifiers(folder.content("service_identifiers.csv"), subscriptions, tenant)
    )
    terms = read_terms(folder.content, subscriptions)
    folder.problems.extend(terms.problems)
    prices = _rate_card_prices(folder, catalog)
    # A folder named acme@2026-10-05 is acme as it is from that day on.
    folder_key = directory.name.split("@")[0]
    if tenant is not None and tenant.key != folder_key:
        message = f"is {tenant.key!r}, but the folder is named {folder_key!r}; make them equal"
        folder.problems.append(Problem(TENANT_FILE, _line(folder, "key"), "key", message))
    if tenant is None or folder.problems:
        raise ConfigurationRefused(folder.problems)
    whole, rows = _sold(directory, tenant, catalog, prices)
    read = Customers(accounts, subscriptions, identifiers, rows, terms)
    across = check_across_files(tenant, catalog, whole, read, tenant_file=TENANT_FILE)
    across = across or broken_examples(
        catalog.rate_cards, RATE_CARD_PRICES.conform(prices), tenant.time_zone
    )
    if across:
        raise ConfigurationRefused([_with_line(folder, problem) for problem in across])
    return TenantFolder(
        tenant=tenant,
        catalog=catalog,
        feeds=feeds,
        accounts=ACCOUNTS.conform(accounts),
        subscriptions=SUBSCRIPTIONS.conform(subscriptions),
        service_identifiers=SERVICE_IDENTIFIERS.conform(identifiers),
        terms=dated_terms(terms, tenant, whole, accounts, subscriptions),
        rate_card_prices=RATE_CARD_PRICES.conform(prices),
        documents={file: document.text for file, document in folder.documents.items()},
        sold=whole,
        sold_prices=RATE_CARD_PRICES.conform(rows),
    )


def _sold(
    directory: Path, tenant: Tenant, catalog: Catalog, prices: pl.DataFrame
) -> tuple[Catalog, pl.DataFrame]:
    """The catalog and the rows of its cards, with what is inherited."""
    if not tenant.inherits_catalog:
        return catalog, prices
    above = read_tenant_folder(folder_above(directory, tenant))
    rows = with_inherited_rows(prices, above.sold_prices, catalog)
    return with_inherited(catalog, above.sold), rows


def read_tenant(directory: Path) -> Tenant:
    """The tenant of a folder, without anything it sells.

    Raises: ConfigurationRefused with every mistake of `tenant.yaml`.
    """
    document = _read(TENANT_FILE, directory / TENANT_FILE)
    tenant, problems = parse_document(document, Tenant)
    if tenant is None:
        raise ConfigurationRefused(problems)
    return tenant


def _open(directory: Path) -> _Folder:
    problems = _unknown_files(directory)
    documents = {}
    paths = [directory / file for file in _YAML_FILES]
    paths += [path for name in _YAML_FOLDERS for path in sorted((directory / name).glob("*.yaml"))]
    for path in paths:
        if path.is_file():
            file = path.relative_to(directory).as_posix()
            documents[file] = _read(file, path)
    return _Folder(directory, documents, problems)


def _read(file: str, path: Path) -> YamlDocument:
    try:
        return read_yaml(file, path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        problem = Problem(file, None, None, "is not UTF-8; save it as UTF-8")
        return YamlDocument(file, "", None, None, (problem,))


def _unknown_files(directory: Path) -> list[Problem]:
    problems = []
    for path in sorted(directory.iterdir()):
        if path.name not in _KNOWN and not path.name.startswith("."):
            message = f"is no file of a tenant folder{did_you_mean(path.name, _KNOWN)}"
            problems.append(Problem(path.name, None, None, message))
    for names, suffix in ((_YAML_FOLDERS, ".yaml"), (_TABLE_FOLDERS, ".csv")):
        for path in (path for name in names for path in sorted((directory / name).glob("*"))):
            if path.suffix != suffix and not path.name.startswith("."):
                file = path.relative_to(directory).as_posix()
                problems.append(Problem(file, None, None, f"must be a {suffix} file here"))
    return problems


def _catalog(folder: _Folder) -> Catalog:
    products = folder.model("products.yaml", Products)
    plans = folder.model("plans.yaml", Plans)
    negotiated = folder.model("prices.yaml", NegotiatedPrices)
    taxes = folder.model("taxes.yaml", Taxes)
    cards = folder.model("rate_cards.yaml", RateCards)
    fx_rates, mistakes = read_fx_rates(folder.content(FX_FILE))
    rounded = with_usual_increments(
        () if plans is None else plans.plans,
        () if negotiated is None else negotiated.prices,
        products or Products(),
    )
    folder.problems.extend(mistakes)
    folder.problems.extend(_with_line(folder, problem) for problem in rounded.problems)
    return Catalog(
        categories=() if products is None else tuple(products.product_categories),
        products=() if products is None else tuple(products.products),
        plans=tuple(rounded.plans),
        discounts=() if plans is None else tuple(plans.discounts),
        tax_rates=() if taxes is None else tuple(taxes.tax_rates),
        fx_rates=fx_rates,
        rate_cards=() if cards is None else tuple(cards.rate_cards),
        negotiated=tuple(rounded.negotiated),
    )


def _feeds(folder: _Folder) -> tuple[Feed, ...]:
    feeds = []
    for file in sorted(name for name in folder.documents if name.startswith("feeds/")):
        feed = folder.model(file, Feed)
        if feed is not None:
            feeds.append(feed)
            if file != feed_file(feed):
                wanted = "" if feed.valid_from is None else f" ({feed_file(feed)})"
                message = f"is {feed.key!r}, but the file is {file!r}; make them equal{wanted}"
                line = line_of(folder.documents[file], ["key"])
                folder.problems.append(Problem(file, line, "key", message))
    folder.problems.extend(check_feed_versions(feeds))
    return tuple(feeds)


def _rate_card_prices(folder: _Folder, catalog: Catalog) -> pl.DataFrame:
    parts = []
    for path in sorted((folder.directory / "rate_cards").glob("*.csv")):
        card = catalog.rate_card_by_key.get(path.stem)
        file = path.relative_to(folder.directory).as_posix()
        if card is None:
            message = "no card of this name in rate_cards.yaml; add its header there"
            if not any(problem.file == "rate_cards.yaml" for problem in folder.problems):
                folder.problems.append(Problem(file, None, None, message))
            continue
        parts.append(folder.table(tables.rate_card_prices(file, path.read_bytes(), card)))
    return pl.concat([tables.NO_RATE_CARD_PRICES, *parts])


def _line(folder: _Folder, *path: str) -> int | None:
    return line_of(folder.documents[TENANT_FILE], path)


def _with_line(folder: _Folder, problem: Problem) -> Problem:
    """Give a problem of a YAML file, whose field is a path, its line and readable path."""
    document = folder.documents.get(problem.file)
    if document is None or problem.field is None:
        return problem
    path = [int(step) if step.isdigit() else step for step in problem.field.split("/")]
    return replace(
        problem,
        row=line_of(document, path),
        field="/".join(readable_path(document.value, path)),
    )
