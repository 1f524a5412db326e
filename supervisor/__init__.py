"""The supervisor that holds the pipes. Not built yet."""
