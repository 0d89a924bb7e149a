"""Three tenants that show the field, and the usage they make."""
