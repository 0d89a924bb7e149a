"""Documents to a journal that balances, and its hand-off to other systems."""
