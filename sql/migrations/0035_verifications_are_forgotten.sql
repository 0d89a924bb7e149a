-- 0035 Verifications are forgotten: what is known of a file goes with the file.
-- Why: a day that is computed again lies in new files; rows of the old ones would stay for ever. They are no evidence,
-- only a note of what need not be read again.
grant delete on lake_verifications to billing_app, billing_operator;

create index lake_partitions_of_path on lake_partitions (tenant_key, path) where superseded_at is null;
