"""What comes from outside: landing zones, archives, tenant folders."""
