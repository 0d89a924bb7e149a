"""The feeds of every owner, read from the books once a run."""

import datetime as dt

from billing_pipeline.books import catalog as stored
from billing_pipeline.books.scope import tenant_scope
from billing_pipeline.catalog.entries import feeds_from_entries
from billing_pipeline.catalog.feed_versions import versions_of
from billing_pipeline.catalog.feeds import Feed
from billing_pipeline.mediation.match import version_for_file
from billing_pipeline.mediation.refusal import FileRefused, QuarantineReason
from billing_pipeline.orchestration.installation import Installation


class OwnerFeeds:
    """Feed definitions by owner."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._by_owner: dict[str, tuple[Feed, ...]] = {}

    def of_owner(self, owner_key: str) -> tuple[Feed, ...]:
        """All feeds of an owner."""
        if owner_key not in self._by_owner:
            with tenant_scope(self._installation.engine, owner_key) as connection:
                entries = stored.read_entries(connection, owner_key)
            self._by_owner[owner_key] = feeds_from_entries(entries)
        return self._by_owner[owner_key]

    def named(self, owner_key: str, feed_key: str) -> Feed | None:
        """The feed with a key in its latest version, if the owner has it."""
        versions = versions_of(self.of_owner(owner_key), feed_key)
        return versions[-1] if versions else None

    def of_file(self, owner_key: str, feed_key: str, name: str, landed_on: dt.date) -> Feed:
        """The feed of a file in the version that reads it: named by its folder.

        Raises: FileRefused if the owner has no such feed, the name does not fit, or no version
        is in force.
        """
        versions = versions_of(self.of_owner(owner_key), feed_key)
        if not versions:
            raise FileRefused(
                QuarantineReason.UNEXPECTED_NAME,
                f"{owner_key} has no feed {feed_key!r}; add it or move the file {name!r}",
            )
        return version_for_file(name, landed_on, versions)
