"""Methods that read the shift from a correlation of whole pictures."""
