-- 0029 Proofs of files: what a file of the lake looked like when its content was last compared with its name, and the
-- number that a usage file gives itself.
-- Why stamps are kept: reading every file of every day anew costs more each month; one whose stamps have not changed since is read
-- again only now and then, for what no stamp shows.
create table lake_verifications (
    tenant_key  text        not null,
    path        text        not null,  -- its name is the digest of its content
    stamps      text,                  -- size, times, inode, entity tag; null: the file is gone
    fault       text,                  -- missing or changed; null: it is as it was written
    verified_at timestamptz not null,
    primary key (tenant_key, path)
);

call isolate_tenants('lake_verifications');
grant insert, update on lake_verifications to billing_app, billing_operator;

-- What its records or its header say; the number in its name is read from the name.
alter table usage_files add column sequence_number bigint;
