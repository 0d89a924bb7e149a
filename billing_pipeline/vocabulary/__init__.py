"""Words every room shares: money, periods, identifiers, frames, outcomes."""
