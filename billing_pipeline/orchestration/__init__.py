"""Dagster: partitions, assets, checks, jobs, schedules, sensors. No rules here."""
