"""Usage files to usage events: decode, normalise, validate, deduplicate, guide."""
