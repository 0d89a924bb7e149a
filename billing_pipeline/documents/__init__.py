"""Documents people and machines read: HTML, PDF, itemisation."""
