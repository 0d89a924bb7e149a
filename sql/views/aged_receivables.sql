-- What is open per account today, by days since it was due. For another day: receivables_aged(day).
create view aged_receivables with (security_invoker = true) as
select * from receivables_aged(current_date);
