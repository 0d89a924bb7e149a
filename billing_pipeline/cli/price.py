"""`billing price`: what something costs and why, without touching anything."""

import datetime as dt
from pathlib import Path

import click


def _instant(
    _context: click.Context, _option: click.Parameter, text: str | None
) -> dt.datetime | None:
    if text is None:
        return None
    try:
        instant = dt.datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter("write it as 2026-10-05T12:00:00Z") from None
    return instant if instant.tzinfo is not None else instant.replace(tzinfo=dt.UTC)


@click.group()
def price() -> None:
    """What something costs, and why."""


@price.command()
@click.argument("tenant")
@click.argument("subscription")
@click.argument("product")
@click.option(
    "--at", "at", help="Instant or local day, e.g. 2026-10-05T12:00:00Z; now if left out."
)
@click.option(
    "--known-at",
    callback=_instant,
    help="Instant whose knowledge counts, e.g. 2026-10-05T12:00:00Z; now if left out.",
)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def explain(
    tenant: str,
    subscription: str,
    product: str,
    at: str | None,
    known_at: dt.datetime | None,
    *,
    as_json: bool,
) -> None:
    """Show every price SUBSCRIPTION could have for PRODUCT, in order, and which holds.

    TENANT is the key of an applied tenant, or a tenant folder.
    """
    import json

    from billing_pipeline.orchestration.clock import utc_now
    from billing_pipeline.orchestration.installation import Installation
    from billing_pipeline.orchestration.pricing import explain as explained
    from billing_pipeline.orchestration.pricing import local_day, sources

    given = sources(Installation.from_environment(), tenant, known_at=known_at)
    day = local_day(given.facts.tenant, at or utc_now().isoformat())
    answer = explained(given, subscription, product, day)
    click.echo(json.dumps(answer.as_dict(), indent=2, default=str) if as_json else str(answer))


@price.command("try")
@click.argument("tenant")
@click.argument("against")
@click.argument("file", required=False, type=click.Path(exists=True, path_type=Path))
@click.option("--feed", help="Feed that reads FILE.")
@click.option(
    "--landed",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Day FILE came, by which a version of the feed is chosen; today if left out.",
)
@click.option("--event", "pairs", multiple=True, help="field=value of one event; repeat.")
@click.option(
    "--known-at", callback=_instant, help="Instant whose knowledge counts; now if left out."
)
@click.option("--limit", default=20, show_default=True, help="Events shown in full.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def try_(  # noqa: PLR0913 - the options of one command
    tenant: str,
    against: str,
    file: Path | None,
    feed: str | None,
    landed: dt.datetime | None,
    pairs: tuple[str, ...],
    *,
    known_at: dt.datetime | None,
    limit: int,
    as_json: bool,
) -> None:
    """Price FILE, or one event, on plan or subscription AGAINST; nothing is touched.

    TENANT is the key of an applied tenant, or a tenant folder. Of an event say at least
    usage_type; started_at is now and quantity 1 unless said.
    """
    import json

    from billing_pipeline.orchestration.clock import utc_now
    from billing_pipeline.orchestration.installation import Installation
    from billing_pipeline.orchestration.price_trial import event_of, events_of_file, try_price
    from billing_pipeline.orchestration.pricing import sources

    if (file is None) == (not pairs) or (file is not None and feed is None):
        raise click.UsageError("give either FILE with --feed, or --event field=value ...")
    given = sources(Installation.from_environment(), tenant, known_at=known_at)
    day = (landed or utc_now()).date()
    events = (
        event_of(pairs, utc_now()) if file is None else events_of_file(given, file, feed or "", day)
    )
    trial = try_price(given, against, events)
    click.echo(json.dumps(trial.as_dict(), indent=2) if as_json else trial.text(limit))
