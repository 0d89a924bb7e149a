"""Where each frame lives in the lake."""

import datetime as dt

RAW_USAGE = "raw_usage"
DECODE_SUSPENSE = "decode_suspense"
DECODE_SET_ASIDE = "decode_set_aside"
MEDIATED_USAGE = "mediated_usage"
MEDIATE_SUSPENSE = "mediate_suspense"
MEDIATE_SET_ASIDE = "mediate_set_aside"
RATED_USAGE = "rated_usage"
RATE_SUSPENSE = "rate_suspense"
CHARGES = "charges"
BILLED_ACCOUNTS = "billed_accounts"


def landed_folder(frame: str, tenant_key: str, landing_day: dt.date) -> str:
    """Folder of a frame kept by the day its file landed."""
    return f"{frame}/tenant={tenant_key}/landed={landing_day.isoformat()}"


def day_folder(frame: str, tenant_key: str, day: dt.date) -> str:
    """Folder of a frame kept by tenant and day."""
    return f"{frame}/tenant={tenant_key}/day={day.isoformat()}"
