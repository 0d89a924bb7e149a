"""Controls over every stage: conservation, completeness, amounts."""
