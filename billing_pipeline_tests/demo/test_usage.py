import datetime as dt
import json
from pathlib import Path

import polars as pl
import pytest

from billing_pipeline.catalog.feeds import Feed
from billing_pipeline.demo.usage.generate import UsageSummary, generate_usage
from billing_pipeline.demo.usage.owners import TENANT_FOLDERS
from billing_pipeline.intake.tenant_folder import TenantFolder, read_tenant_folder
from billing_pipeline.mediation.decode import decode_blocks
from billing_pipeline.mediation.mediate import mediate
from billing_pipeline.mediation.schema import GUIDE, RAW_USAGE
from billing_pipeline.vocabulary.periods import day_start

FROM_DAY, UNTIL_DAY = dt.date(2026, 9, 28), dt.date(2026, 10, 31)
EVENTS = 4_000


def generated(out: Path, *, seed: int = 1, tenants: tuple[str, ...] | None = None) -> UsageSummary:
    return generate_usage(
        out,
        tenant_keys=tenants or ("meridian", "northlink", "datastrom"),
        from_day=FROM_DAY,
        until_day=UNTIL_DAY,
        events=EVENTS,
        seed=seed,
    )


@pytest.fixture(scope="module")
def summary(tmp_path_factory: pytest.TempPathFactory) -> UsageSummary:
    return generated(tmp_path_factory.mktemp("usage"))


def contents(summary: UsageSummary) -> dict[str, bytes]:
    return {f"{file.feed_key}/{file.path.name}": file.path.read_bytes() for file in summary.files}


def test_the_same_seed_gives_the_same_bytes(summary: UsageSummary, tmp_path: Path) -> None:
    again = generated(tmp_path)

    assert contents(again) == contents(summary)
    assert again.counts.equals(summary.counts)


def test_another_seed_gives_other_bytes(summary: UsageSummary, tmp_path: Path) -> None:
    assert contents(generated(tmp_path, seed=2)) != contents(summary)


def test_leaving_a_tenant_out_does_not_change_the_draw_of_the_calendar_feeds(
    summary: UsageSummary, tmp_path: Path
) -> None:
    alone = contents(generated(tmp_path, tenants=("datastrom",)))
    counters = {name: text for name, text in alone.items() if name.startswith("interface")}

    assert counters
    assert counters.items() <= contents(summary).items()


def test_every_line_is_counted_under_one_kind(summary: UsageSummary) -> None:
    headed = ("agent-calls", "freeswitch", "interface-counters", "licences")
    lines = sum(text.count(b"\n") for text in contents(summary).values())
    headers = sum(file.feed_key in headed for file in summary.files)

    assert lines - headers == summary.counts["records"].sum()
    assert sum(file.records for file in summary.files) == summary.counts["records"].sum()


def test_trouble_comes_on_top_of_the_events_asked_for(summary: UsageSummary) -> None:
    drawn = summary.counts.filter(~pl.col("feed_key").is_in(["interface-counters", "licences"]))

    assert drawn.filter(pl.col("kind") == "billable")["records"].sum() == EVENTS
    for kind in ("filtered", "unknown", "malformed", "duplicate"):
        assert summary.records_of(kind) > 0, kind


def test_a_duplicate_is_a_line_seen_before_in_its_feed(summary: UsageSummary) -> None:
    repeated = 0
    for feed in {file.feed_key for file in summary.files}:
        lines = [
            line
            for file in summary.files
            if file.feed_key == feed
            for line in file.path.read_text(encoding="utf-8").splitlines()[_headers(feed) :]
        ]
        repeated += len(lines) - len(set(lines))

    assert repeated == summary.records_of("duplicate")


def _headers(feed: str) -> int:
    return 0 if feed in ("asterisk", "api-usage") else 1


def test_file_names_are_the_ones_the_feeds_expect(summary: UsageSummary) -> None:
    feeds: dict[tuple[str, str], Feed] = {
        (tenant, feed.key): feed
        for tenant in ("meridian", "northlink", "datastrom")
        for feed in read_tenant_folder(TENANT_FOLDERS / tenant).feeds
    }

    for file in summary.files:
        pattern = feeds[file.tenant_key, file.feed_key].match.file_name
        assert pl.Series([file.path.name]).str.contains(f"^(?:{pattern})$").all(), file.path.name


def test_files_land_on_their_day_and_a_few_land_later(summary: UsageSummary) -> None:
    late = [file for file in summary.files if file.is_late]

    assert 0 < len(late) < len(summary.files) / 5
    assert all(file.lands_on <= UNTIL_DAY for file in summary.files)
    assert summary.landing_days["datastrom/licences/Lizenzen_2026-10.csv"] == UNTIL_DAY


def test_well_formed_api_lines_are_cloud_events(summary: UsageSummary) -> None:
    kinds = summary.counts.filter(pl.col("feed_key") == "api-usage")
    expected = kinds.filter(pl.col("kind") != "malformed")["records"].sum()
    good = 0
    for file in summary.files:
        if file.feed_key == "api-usage":
            good += sum(map(_is_event, file.path.read_text(encoding="utf-8").splitlines()))

    assert good == expected


def _is_event(line: str) -> bool:
    try:
        requests = json.loads(line)["data"]["requests"]
    except json.JSONDecodeError:
        return False
    return isinstance(requests, int) and requests > 0


def test_the_night_clocks_go_back_has_an_hour_more_of_counters(summary: UsageSummary) -> None:
    days = {
        file.path.name: file.records
        for file in summary.files
        if file.feed_key == "interface-counters"
    }
    # 288 samples a day, 12 more on 25 October, two directions, two interfaces, 0.4 % missing.
    full, long = 288 * 4, 300 * 4

    assert full * 0.97 < days["counters_20261024.csv"] <= full * 1.02
    assert long * 0.97 < days["counters_20261025.csv"] <= long * 1.02


@pytest.mark.slow
def test_mediation_finds_exactly_the_trouble_that_was_put_in(summary: UsageSummary) -> None:
    folders = {key: read_tenant_folder(TENANT_FOLDERS / key) for key in TENANTS}
    guide = pl.concat(guide_rows(key, folder) for key, folder in folders.items())
    found = {"filtered": 0, "malformed": 0, "unknown": 0, "duplicate": 0, "billable": 0}
    for company in ("meridian", "northlink", "datastrom"):
        feeds = {feed.key: feed for feed in folders[company].feeds}
        raw = [RAW_USAGE.empty()]
        for file in (file for file in summary.files if file.tenant_key == company):
            with file.path.open("rb") as stream:
                for block in decode_blocks(feeds[file.feed_key], stream, file.path.name):
                    raw.append(block.accepted)
                    found["filtered"] += block.filtered.height
                    found["malformed"] += block.suspended.height
        mediated = mediate(pl.concat(raw), guide)
        assert set(mediated.suspended["reason"]) == {"unknown_identifier"}
        found["unknown"] += mediated.suspended.height
        found["duplicate"] += mediated.duplicates.height
        found["billable"] += mediated.accepted.height

    assert found == {kind: summary.records_of(kind) for kind in found}


TENANTS = ("meridian", "ringwell", "cleardesk", "northlink", "datastrom")


def guide_rows(tenant_key: str, folder: TenantFolder) -> pl.DataFrame:
    zone = folder.tenant.time_zone
    owned = folder.service_identifiers.join(folder.subscriptions, on="subscription_key")
    return owned.select(
        "identifier",
        "match",
        "status",
        pl.lit(tenant_key).alias("tenant_key"),
        "account_key",
        "subscription_key",
        "valid_from",
        "valid_until",
        day_start(pl.col("started_on"), zone).alias("service_from"),
        day_start(pl.col("ended_on"), zone).alias("service_until"),
    ).select(GUIDE.names)


def test_a_tenant_without_feeds_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no demo feeds of \['ringwell'\]; there are"):
        generated(tmp_path, tenants=("ringwell",))


def test_a_span_without_days_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="until_day 2026-09-30 is before from_day 2026-10-01"):
        generate_usage(
            tmp_path, from_day=dt.date(2026, 10, 1), until_day=dt.date(2026, 9, 30), events=10
        )
