"""Methods that match key points."""
