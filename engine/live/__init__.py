"""What is true now: the keys in Redis, the boards read from them, screen pops, and what the admin may ask of the engine."""
