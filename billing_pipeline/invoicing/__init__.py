"""Charges to documents: lines, one rounding, tax, totals, numbers."""
