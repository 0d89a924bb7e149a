"""Tenants and their hierarchy, billing accounts and who pays, subscriptions, identifiers."""
