"""The feeds there are: shipped with the product, and applied by tenants."""

from collections.abc import Iterator
from pathlib import Path

import yaml

from billing_pipeline.books import catalog
from billing_pipeline.books.scope import installation_scope
from billing_pipeline.catalog.feed_versions import versions_of
from billing_pipeline.catalog.feeds import Feed
from billing_pipeline.intake.shipped_feeds import feed_texts, shipped_feeds
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.steps.owner_feeds import OwnerFeeds


def known_feeds(tenant_key: str | None) -> Iterator[tuple[str | None, Feed]]:
    """Owner and feed: shipped ones first (None), then those of a tenant or of all."""
    if tenant_key is None:
        yield from ((None, feed) for feed in shipped_feeds().values())
    installation = Installation.from_environment()
    if tenant_key is None and not _has_books(installation):
        return
    with installation_scope(installation.engine) as connection:
        tenants = catalog.tenant_keys(connection)
    feeds = OwnerFeeds(installation)
    for owner in tenants:
        if tenant_key in (None, owner):
            yield from ((owner, feed) for feed in feeds.of_owner(owner))


def feed_with_text(key: str, tenant_key: str | None) -> tuple[Feed, str]:
    """A feed and its definition as YAML: the shipped file, or what the tenant applied last.

    Of a feed with versions the latest is shown.
    Raises: LookupError if there is no such feed.
    """
    if tenant_key is None and key in shipped_feeds():
        return shipped_feeds()[key], feed_texts()[key]
    of_tenants = [(owner, feed) for owner, feed in known_feeds(tenant_key) if feed.key == key]
    first_owner = next((owner for owner, _ in of_tenants if owner is not None), None)
    if first_owner is None:
        raise LookupError(f"there is no feed {key!r}; see `billing feed list`")
    versions = versions_of([feed for owner, feed in of_tenants if owner == first_owner], key)
    document = versions[-1].model_dump(mode="json", exclude_defaults=True)
    return versions[-1], yaml.safe_dump(document, sort_keys=False, allow_unicode=True)


def _has_books(installation: Installation) -> bool:
    """Whether there are books to ask: nobody wants a database started to list shipped feeds."""
    return bool(installation.database_url) or Path(installation.home / "postgres").exists()
