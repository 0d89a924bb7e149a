"""Usage files go in at one end, balanced books come out at the other."""
