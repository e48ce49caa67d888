"""elastix, in a process of its own."""
