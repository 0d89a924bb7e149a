"""Where the folder of the tenant above stands, whose catalog a tenant inherits."""

from pathlib import Path

from billing_pipeline.customers.tenant import Tenant
from billing_pipeline.vocabulary.problems import ConfigurationRefused, Problem

_AT = "@"
"""Stands between a tenant and the day its folder holds from, in a simulation."""


def folder_above(directory: Path, tenant: Tenant) -> Path:
    """The folder of the parent, beside this one; of dated ones the latest up to this one's day.

    Raises: ConfigurationRefused if there is none.
    """
    day = directory.name.partition(_AT)[2]
    dated = directory.parent.glob(f"{tenant.parent}{_AT}*") if day else ()
    found = sorted(path for path in dated if path.name.partition(_AT)[2] <= day)
    path = (found or [directory.parent / str(tenant.parent)])[-1]
    if tenant.parent is None or not path.is_dir():
        message = f"needs the folder of the parent {tenant.parent!r} beside this one"
        raise ConfigurationRefused([Problem("tenant.yaml", None, "inherits_catalog", message)])
    return path
