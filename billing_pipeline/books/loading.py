"""What loading usage files came to: archived, loaded, refused, replaced; many files a statement."""

from collections.abc import Mapping, Sequence

import polars as pl
import sqlalchemy as sa

from billing_pipeline.books.copy import copy_in, copy_out, staged
from billing_pipeline.books.due import touch_usage_days
from billing_pipeline.books.files import GONE, TO_LOAD, FileNotInState
from billing_pipeline.books.tables import usage_file_days, usage_files
from billing_pipeline.books.usage_schema import (
    ARCHIVED_FILES,
    CONTENT_VERDICTS,
    FILE_DAYS,
    LOADED_FILES,
    REFUSED_FILES,
)

_KNOWN = pl.Schema({"feed_key": pl.String, "file_key": pl.String})
_NAMED = pl.Schema({"file_id": pl.Int64})
_MINE = pl.Schema(
    {"file_id": pl.Int64, "feed_key": pl.String, "state": pl.String, "file_key": pl.String}
)


def record_archived(
    connection: sa.Connection, tenant_key: str, archived: pl.DataFrame
) -> pl.DataFrame:
    """Note where the archive keeps an owner's files (ARCHIVED_FILES): their CONTENT_VERDICTS.

    The same content of the same feed under another name becomes state `duplicate`; of several
    that come together the one registered first stands.
    Raises: FileNotInState if one of them does not wait to be loaded.
    """
    # Two names of one content may be archived at the same moment.
    connection.execute(
        sa.text("select pg_advisory_xact_lock(hashtextextended(:owner, 0))"),
        {"owner": f"{tenant_key}/archived files"},
    )
    given = ARCHIVED_FILES.conform(archived)
    with staged(connection, given) as rows:
        mine = copy_out(connection, _mine(tenant_key, rows), _MINE)
        _refuse_missing(given, mine)
        known = copy_out(connection, _same_content(tenant_key, rows), _KNOWN)
        taken = copy_out(connection, _same_name(tenant_key, rows), _NAMED)
    judged = _judged(mine, known, taken)
    states = judged.select(
        "file_id",
        state=pl.when("is_duplicate").then(pl.lit("duplicate")).otherwise(pl.lit("archived")),
    ).join(given, on="file_id", validate="1:1")
    _change(connection, tenant_key, states)
    return CONTENT_VERDICTS.conform(judged)


def record_loaded(
    connection: sa.Connection, tenant_key: str, loaded: pl.DataFrame, days: pl.DataFrame
) -> None:
    """Note what an owner's files held and make the usage days they touch stale.

    `loaded` is LOADED_FILES, `days` FILE_DAYS. Days of an earlier load of the same files become
    stale too: they may have lost records.
    Raises: FileNotInState if one of them does not wait to be loaded.
    """
    files = LOADED_FILES.conform(loaded)
    _change(connection, tenant_key, files.with_columns(state=pl.lit("loaded")))
    _replace_days(connection, tenant_key, files["file_id"].to_list(), FILE_DAYS.conform(days))


def record_numbers(connection: sa.Connection, tenant_key: str, numbers: Mapping[int, int]) -> None:
    """Note the numbers that an owner's files give themselves, by file, refused ones too."""
    for file_id, number in numbers.items():
        of_file = usage_files.c.tenant_key == tenant_key, usage_files.c.file_id == file_id
        connection.execute(sa.update(usage_files).where(*of_file).values(sequence_number=number))


def record_refused(connection: sa.Connection, tenant_key: str, refused: pl.DataFrame) -> None:
    """Put whole files aside (REFUSED_FILES); days that had records of them become stale.

    Raises: FileNotInState if one of them does not wait to be loaded.
    """
    files = REFUSED_FILES.conform(refused)
    _change(connection, tenant_key, files)
    _replace_days(connection, tenant_key, files["file_id"].to_list(), FILE_DAYS.empty())


def replace_deliveries(
    connection: sa.Connection, tenant_key: str, *, replaced: Sequence[int], standing: Sequence[int]
) -> int:
    """Have loaded files replaced by later deliveries, or stand again; return how many changed.

    The usage days of the files that changed become stale.
    """
    changed = [
        *_turn(connection, tenant_key, replaced, "loaded", "superseded"),
        *_turn(connection, tenant_key, standing, "superseded", "loaded"),
    ]
    days = sa.select(usage_file_days.c.usage_day).where(
        usage_file_days.c.tenant_key == tenant_key, usage_file_days.c.file_id.in_(changed)
    )
    touch_usage_days(connection, tenant_key, sorted(set(connection.execute(days).scalars())))
    return len(changed)


def _mine(tenant_key: str, rows: sa.Table) -> sa.Select[*tuple[object, ...]]:
    return (
        sa.select(
            usage_files.c.file_id, usage_files.c.feed_key, usage_files.c.state, rows.c.file_key
        )
        .join(rows, rows.c.file_id == usage_files.c.file_id)
        .where(usage_files.c.tenant_key == tenant_key, usage_files.c.state.in_(TO_LOAD))
    )


def _same_content(tenant_key: str, rows: sa.Table) -> sa.Select[*tuple[object, ...]]:
    """Contents that other files of the owner brought."""
    return (
        sa.select(usage_files.c.feed_key, usage_files.c.file_key)
        .where(
            usage_files.c.tenant_key == tenant_key,
            usage_files.c.file_key.in_(sa.select(rows.c.file_key)),
            usage_files.c.file_id.not_in(sa.select(rows.c.file_id)),
            usage_files.c.state.not_in(GONE),
        )
        .distinct()
    )


def _same_name(tenant_key: str, rows: sa.Table) -> sa.Select[*tuple[object, ...]]:
    """Files whose name another file of the feed was loaded by, with other content."""
    other = usage_files.alias("other")
    return (
        sa.select(usage_files.c.file_id)
        .join(rows, rows.c.file_id == usage_files.c.file_id)
        .where(
            usage_files.c.tenant_key == tenant_key,
            sa.exists().where(
                other.c.tenant_key == usage_files.c.tenant_key,
                other.c.feed_key == usage_files.c.feed_key,
                other.c.name == usage_files.c.name,
                other.c.file_id != usage_files.c.file_id,
                other.c.file_key != rows.c.file_key,
                other.c.state == "loaded",
            ),
        )
    )


def _judged(mine: pl.DataFrame, known: pl.DataFrame, taken: pl.DataFrame) -> pl.DataFrame:
    # A file archived by a run that died holds its content already.
    ordered = mine.sort(pl.col("state") != "archived", "file_id").join(
        known.with_columns(is_known=pl.lit(value=True)),
        on=["feed_key", "file_key"],
        how="left",
        validate="m:1",
        maintain_order="left",
    )
    return ordered.select(
        "file_id",
        is_duplicate=pl.col("is_known").fill_null(value=False)
        | ~pl.struct("feed_key", "file_key").is_first_distinct(),
        is_name_taken=pl.col("file_id").is_in(taken["file_id"].implode()),
    )


def _change(connection: sa.Connection, tenant_key: str, values: pl.DataFrame) -> None:
    """Set columns of files that wait to be loaded, by file_id."""
    if values.is_empty():
        return
    with staged(connection, values.sort("file_id")) as rows:
        changed = connection.execute(
            sa.update(usage_files)
            .where(
                usage_files.c.tenant_key == tenant_key,
                usage_files.c.file_id == rows.c.file_id,
                usage_files.c.state.in_(TO_LOAD),
            )
            .values(
                changed_at=sa.func.clock_timestamp(),
                **{name: rows.c[name] for name in values.columns if name != "file_id"},
            )
        )
    if changed.rowcount != values.height:
        raise FileNotInState(
            f"{values.height} file(s) of {tenant_key} were worked on, but only {changed.rowcount} "
            "of them still waited to be loaded: another run loaded them meanwhile"
        )


def _refuse_missing(given: pl.DataFrame, mine: pl.DataFrame) -> None:
    missing = given.join(mine, on="file_id", how="anti")
    if missing.height:
        raise FileNotInState(f"usage file {missing['file_id'][0]} does not wait to be loaded")


def _replace_days(
    connection: sa.Connection, tenant_key: str, file_ids: list[int], days: pl.DataFrame
) -> None:
    earlier = (
        usage_file_days.c.tenant_key == tenant_key,
        usage_file_days.c.file_id.in_(file_ids),
    )
    before = connection.execute(sa.select(usage_file_days.c.usage_day).where(*earlier)).scalars()
    touched = set(before) | set(days["usage_day"])
    connection.execute(sa.delete(usage_file_days).where(*earlier))
    copy_in(
        connection,
        usage_file_days,
        days.select(pl.lit(tenant_key, pl.String).alias("tenant_key"), pl.all()),
    )
    touch_usage_days(connection, tenant_key, sorted(touched))


def _turn(
    connection: sa.Connection, tenant_key: str, file_ids: Sequence[int], before: str, after: str
) -> list[int]:
    turned = connection.execute(
        sa.update(usage_files)
        .where(
            usage_files.c.tenant_key == tenant_key,
            usage_files.c.file_id.in_(file_ids),
            usage_files.c.state == before,
        )
        .values(state=after, changed_at=sa.func.clock_timestamp())
        .returning(usage_files.c.file_id)
    )
    return list(turned.scalars())
