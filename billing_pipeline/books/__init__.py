"""Postgres: tenant scope, migrations, one module of statements per noun."""
