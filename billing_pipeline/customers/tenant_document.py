"""A tenant as the books keep it: `tenant.yaml` as one JSON document."""

import json

from billing_pipeline.customers.tenant import Tenant


def tenant_document(tenant: Tenant) -> str:
    """The tenant as JSON. Fields that came later are in it only where they say something.

    So a tenant that does not use them is as before, and applying its folder again changes nothing.
    """
    document = tenant.model_dump(mode="json")
    ledger = document["ledger_accounts"]
    came_later: list[tuple[dict[str, object], str, object]] = [
        (document, "branding_in_locales", {}),
        (document["legal_entity"], "creditor_identifier", None),
        (ledger, "rounding_up_to_minor", 0),
        *((rule, "category", None) for rule in ledger["rules"]),
    ]
    for part, name, unsaid in came_later:
        if part[name] == unsaid:
            del part[name]
    return json.dumps(document, ensure_ascii=False)
