"""A tenant's configuration written back as the folder it could be read from."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl
import yaml

from billing_pipeline.catalog.catalog import Catalog
from billing_pipeline.catalog.feed_versions import feed_file
from billing_pipeline.catalog.feeds import Feed
from billing_pipeline.customers.tenant import Tenant
from billing_pipeline.intake.fx_rates import FX_FILE
from billing_pipeline.vocabulary.configuration import Configuration

_LOCAL_TIME = "%Y-%m-%d %H:%M:%S"


def write_tenant_folder(
    directory: Path,
    tenant: Tenant,
    catalog: Catalog,
    feeds: Sequence[Feed],
    tables: Mapping[str, pl.DataFrame],
) -> None:
    """Write YAML and CSV files; `tables` are the customers' frames and `rate_card_prices`.

    Raises: FileExistsError if the directory holds anything: nothing is overwritten.
    """
    if directory.exists() and any(directory.iterdir()):
        raise FileExistsError(f"{directory} is not empty; choose a new folder")
    directory.mkdir(parents=True, exist_ok=True)
    _write_yaml(directory / "tenant.yaml", _document(tenant))
    lists: dict[str, dict[str, Sequence[Configuration]]] = {
        "products.yaml": {
            "product_categories": catalog.categories,
            "products": catalog.products,
        },
        "plans.yaml": {"plans": catalog.plans, "discounts": catalog.discounts},
        "prices.yaml": {"prices": catalog.negotiated},
        "taxes.yaml": {"tax_rates": catalog.tax_rates},
        "rate_cards.yaml": {"rate_cards": catalog.rate_cards},
    }
    for name, parts in lists.items():
        document = {key: [_document(thing) for thing in things] for key, things in parts.items()}
        if any(document.values()):
            _write_yaml(directory / name, document)
    if catalog.fx_rates:
        rates = [rate.model_dump() for rate in catalog.fx_rates]
        pl.DataFrame(rates).write_csv(directory / FX_FILE)
    for feed in feeds:
        _write_yaml(directory / feed_file(feed), _document(feed))
    _write_tables(directory, tenant, tables)


def _document(thing: Configuration) -> object:
    return thing.model_dump(mode="json", exclude_defaults=True, by_alias=True)


def _write_yaml(path: Path, document: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True), encoding="utf-8")


def _write_tables(directory: Path, tenant: Tenant, tables: Mapping[str, pl.DataFrame]) -> None:
    for name in (name for name in tables if name != "rate_card_prices"):
        local = tables[name].with_columns(
            pl.col(pl.Datetime("us", "UTC"))
            .dt.convert_time_zone(tenant.time_zone)
            .dt.strftime(_LOCAL_TIME)
        )
        if local.height:
            local.write_csv(directory / f"{name}.csv")
    cards = tables["rate_card_prices"].partition_by("card_key", as_dict=True, include_key=False)
    for (card_key,), rows in cards.items():
        (directory / "rate_cards").mkdir(exist_ok=True)
        rows.write_csv(directory / "rate_cards" / f"{card_key}.csv")
