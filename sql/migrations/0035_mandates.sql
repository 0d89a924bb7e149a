-- 0035 Mandates: what an account pays by direct debit under, as its document and e-invoice say it.
-- Why both or none: a mandate without the account it debits says nothing a bank could collect by.
alter table accounts
    add column mandate_reference text,
    add column debited_iban text,
    add constraint accounts_have_whole_mandates
    check ((mandate_reference is null) = (debited_iban is null));

-- What is known of a file of the lake goes with the file: it is no evidence, only a note of what need not be read again.
grant delete on lake_verifications to billing_app, billing_operator;

create index lake_partitions_of_path on lake_partitions (tenant_key, path) where superseded_at is null;
