"""How each price model prices one event: one small module per model."""
