"""Customer master data for systems that must know a customer before they take its documents."""
