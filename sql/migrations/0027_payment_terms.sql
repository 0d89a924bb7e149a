-- 0030 Payment terms of subscriptions: they go before those of the account, its type and the tenant.

alter table subscriptions add column payment_terms_days bigint check (payment_terms_days >= 0);
