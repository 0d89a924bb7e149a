-- Days whose usage has to be mediated or rated again, because files arrived after they were.
create view usage_days_status with (security_invoker = true) as
select
    coalesce(usage_days.tenant_key, rating_days.tenant_key) as tenant_key,
    coalesce(usage_days.usage_day, rating_days.usage_day) as usage_day,
    usage_days.mediated < usage_days.touched and usage_days.masked_at is null as is_to_mediate,
    rating_days.rated < rating_days.touched and rating_days.masked_at is null as is_to_rate,
    greatest(usage_days.changed_at, rating_days.changed_at) as changed_at,
    coalesce(rating_days.masked_at, usage_days.masked_at) as masked_at
from usage_days
full join rating_days on usage_days.tenant_key = rating_days.tenant_key and usage_days.usage_day = rating_days.usage_day;
