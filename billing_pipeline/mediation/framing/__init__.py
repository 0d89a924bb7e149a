"""Framings: a stream of bytes in, blocks of records with named text columns out."""
