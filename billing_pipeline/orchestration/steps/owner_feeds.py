"""The feeds of every owner, read from the books once a run."""

from billing_pipeline.books import catalog as stored
from billing_pipeline.books.scope import tenant_scope
from billing_pipeline.catalog.entries import feeds_from_entries
from billing_pipeline.catalog.feeds import Feed
from billing_pipeline.mediation.match import matching_feed
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
        """The feed with a key, if the owner has it."""
        return next((feed for feed in self.of_owner(owner_key) if feed.key == feed_key), None)

    def of_file(self, owner_key: str, feed_key: str, name: str) -> Feed:
        """The feed of a file: named by its folder, and its pattern must fit.

        Raises: FileRefused if the owner has no such feed or the name does not fit.
        """
        candidates = [feed for feed in self.of_owner(owner_key) if feed.key == feed_key]
        feed = matching_feed(name, candidates)
        if feed is None:
            raise FileRefused(
                QuarantineReason.UNEXPECTED_NAME,
                f"{owner_key} has no feed {feed_key!r} that takes a file named "
                f"{name!r}; correct the feed's file pattern or move the file",
            )
        return feed
