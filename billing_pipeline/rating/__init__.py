"""Usage events to rated usage: billable units, bands, prefixes, price, cost."""
