"""Methods that bend."""
