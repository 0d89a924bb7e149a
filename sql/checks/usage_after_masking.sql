-- Nothing comes for a day whose numbers were masked: such a day is never computed again.
select
    tenant_key,
    usage_day::text as subject,
    format(
        'usage of %s arrived after the day was masked on %s. It is kept as raw usage and never billed: charge it by hand if it is owed, and keep numbers longer (tenant.yaml, retention).',
        usage_day, masked_at::date
    ) as message
from usage_days
where masked_at is not null and mediated < touched
