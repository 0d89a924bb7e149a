"""Usage files for the demo tenants at any scale, the same bytes for the same seed."""
