"""Spans of days as the books take them: half-open."""

import datetime as dt

ONE_DAY = dt.timedelta(days=1)
EVER = (dt.date(1970, 1, 1), dt.date(9999, 12, 31))
