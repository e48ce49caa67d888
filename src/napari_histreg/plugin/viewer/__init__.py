"""What belongs to one viewer: its session, its layers, its files."""
