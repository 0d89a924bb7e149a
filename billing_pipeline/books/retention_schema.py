"""Frames and queries of masking: what is old enough, what holds it, what is left to remove."""

import polars as pl

from billing_pipeline.vocabulary.frames import FrameSchema, optional, required

MASKABLE_DAYS = FrameSchema(
    name="maskable_days",
    grain="one row per day of a family old enough to be masked and not masked yet",
    columns={
        "day": required(pl.Date, "usage day, or landing day of files"),
        "held_by": optional(pl.String, "why it is not masked now, for people; null: it may be"),
    },
)
ITEMISATIONS = FrameSchema(
    name="itemisations",
    grain="one row per itemisation of a document whose usage is masked",
    columns={
        "tenant_key": required(pl.String, "tenant"),
        "invoice_number": required(pl.String, "document"),
        "kind": required(pl.String, "which file of it"),
        "path": required(pl.String, "where it lies"),
    },
)
FORGOTTEN_FILES = FrameSchema(
    name="forgotten_files",
    grain="one row per usage file whose original is to be removed",
    columns={
        "file_id": required(pl.Int64, "number of the registration"),
        "archive_path": required(pl.String, "where the archive keeps it"),
        "url": required(pl.String, "where it landed"),
    },
)
PARTITIONS = FrameSchema(
    name="partitions",
    grain="one row per partition of the lake",
    columns={
        "frame": required(pl.String, "frame"),
        "tenant_key": required(pl.String, "tenant"),
        "partition_day": required(pl.Date, "day"),
    },
)

# Months close in order. A usage day is of UTC, a month of local days: the next one counts too.
USAGE_DAYS_QUERY = """
    with days as (
        select usage_day as day, tenant_key, mediated < touched as is_stale from usage_days
        where tenant_key = any(:family) and usage_day < :before and masked_at is null
        union all
        select usage_day, tenant_key, rated < touched from rating_days
        where tenant_key = any(:family) and usage_day < :before and masked_at is null
    ),

    open_months as (
        select distinct days.day from days
        where days.day + 1 >= coalesce((
            select max(until_day) from fiscal_periods
            where fiscal_periods.tenant_key = days.tenant_key and state <> 'open'
        ), date '-infinity')
    ),

    waiting as (
        select distinct partition_day as day from suspense_states
        where tenant_key = any(:family) and state = 'open' and stage <> 'decode'
    )

    select days.day, case
        when bool_or(days.is_stale) then 'it is not mediated or rated as it should be'
        when bool_or(waiting.day is not null) then 'records of it wait in suspense'
        when bool_or(open_months.day is not null) then 'its fiscal month is not closed'
    end as held_by
    from days
    left join waiting on days.day = waiting.day
    left join open_months on days.day = open_months.day
    group by days.day order by days.day
"""

# Raw usage of a landing day also serves the usage days within reach of its records.
LANDING_DAYS_QUERY = """
    with landed as (
        select files.tenant_key, files.landing_day as day,
            bool_or(files.state in ('landed', 'archived', 'quarantined')) as is_held,
            max(days.usage_day) + :reach as last_day, min(days.usage_day) - :reach as first_day
        from usage_files as files
        left join usage_file_days as days on files.file_id = days.file_id
        where files.tenant_key = any(:family) and files.landing_day < :before
        group by files.tenant_key, files.landing_day
        having bool_or(files.masked_at is null)
    )

    select landed.day, case
        when bool_or(is_held) then 'files of it wait for somebody'
        when bool_or(exists (
            select from suspense_states as lives
            where lives.tenant_key = landed.tenant_key and lives.partition_day = landed.day
                and lives.state = 'open' and lives.stage = 'decode'
        )) then 'records of it wait in suspense'
        when bool_or(last_day >= :before or exists (
            select from usage_days
            where usage_days.tenant_key = landed.tenant_key and usage_days.masked_at is null
                and usage_days.usage_day between first_day and last_day
        )) then 'usage days of its files are not masked yet'
    end as held_by
    from landed group by landed.day order by landed.day
"""

ITEMISATIONS_QUERY = """
    select documents.tenant_key, documents.invoice_number, documents.kind, documents.path
    from documents
    where documents.tenant_key = any(:family)
        and documents.kind in ('itemisation', 'itemisation_parquet')
        and not exists (
            select from removed_documents as removed
            where removed.tenant_key = documents.tenant_key
                and removed.invoice_number = documents.invoice_number
                and removed.kind = documents.kind
        )
        and not exists (
            select from invoice_lines as lines
            inner join rating_days on lines.tenant_key = rating_days.tenant_key
            where lines.tenant_key = documents.tenant_key
                and lines.invoice_number = documents.invoice_number and lines.events > 0
                and rating_days.masked_at is null
                and rating_days.usage_day >= lines.service_from - 1
                and rating_days.usage_day <= lines.service_until
        )
        and exists (
            select from rating_days
            where rating_days.tenant_key = documents.tenant_key and masked_at is not null
        )
    order by documents.tenant_key, documents.invoice_number, documents.kind
"""

# Content that an unmasked file shares, or that came again, is one file of the archive.
FORGOTTEN_QUERY = """
    select files.file_id, files.archive_path, files.url from usage_files as files
    where files.tenant_key = any(:family) and files.archive_path is not null
        and exists (
            select from usage_files as masked
            where masked.file_key = files.file_key and masked.tenant_key = files.tenant_key
                and masked.masked_at is not null
        )
        and not exists (
            select from usage_files as others
            where others.file_key = files.file_key and others.masked_at is null
                and others.state not in ('duplicate', 'discarded')
        )
    order by files.file_id
"""
