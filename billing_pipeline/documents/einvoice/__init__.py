"""EN 16931 e-invoices from the document model: UN/CEFACT CII and UBL 2.1.

In here, as in the norm, "allowance" is a discount and "charge" a surcharge.
"""
