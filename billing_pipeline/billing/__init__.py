"""Charges that should exist, less charges posted: what to post."""
