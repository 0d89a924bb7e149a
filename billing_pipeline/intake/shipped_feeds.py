"""Feed definitions that come with the product, ready to be copied into a tenant's folder."""

from functools import lru_cache
from importlib import resources

import yaml

from billing_pipeline.catalog.feeds import Feed

_PACKAGE = "billing_pipeline.mediation.feeds"


@lru_cache(maxsize=1)
def shipped_feeds() -> dict[str, Feed]:
    """All shipped feeds by key, in order of keys."""
    return {key: Feed.model_validate(yaml.safe_load(text)) for key, text in feed_texts().items()}


def feed_texts() -> dict[str, str]:
    """The YAML of all shipped feeds by key, in order of keys."""
    files = sorted(resources.files(_PACKAGE).iterdir(), key=lambda file: file.name)
    return {
        file.name.removesuffix(".yaml"): file.read_text(encoding="utf-8")
        for file in files
        if file.name.endswith(".yaml")
    }
