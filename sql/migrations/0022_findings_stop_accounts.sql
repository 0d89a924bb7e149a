-- 0022 Findings stop accounts: whom a blocking finding stops, and who looks after it.
-- Why on the finding itself: the row people see is the row issuing reads, so they cannot differ.
alter table findings
    add column account_key text,  -- billing account that is stopped; null: the whole tenant
    add column assigned_to text,
    add column assignment_note text;

create index findings_that_stop on findings (tenant_key, account_key) where state = 'open' and severity = 'block';
