-- 0028 Payment methods: how an account pays, as its document says.
-- Why nullable: accounts of tenants that say nothing are asked for a transfer, as before.

alter table accounts
    add column payment_method text
    check (payment_method in ('bank_transfer', 'direct_debit', 'card'));
