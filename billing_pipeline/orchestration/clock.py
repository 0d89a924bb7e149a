"""The only place that reads the clock."""

import datetime as dt


def utc_now() -> dt.datetime:
    """This instant, aware, UTC."""
    return dt.datetime.now(dt.UTC)  # noqa: TID251 - the one place
