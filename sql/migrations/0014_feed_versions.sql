-- 0014 Feed versions: which version of its feed's definition read a file.

alter table usage_files add column feed_valid_from date;
