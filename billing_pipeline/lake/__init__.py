"""Parquet: where each frame lives, scan, atomic replace of a partition."""
