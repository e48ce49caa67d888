"""What the user sees: controls bound to the models; no arithmetic."""
