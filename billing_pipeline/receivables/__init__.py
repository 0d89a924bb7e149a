"""What is still to be paid, and since when."""
