"""Definitions of feeds that come with the product: one YAML file each, no code."""
