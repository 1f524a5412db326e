"""A scan directory: which services there are, their pipes, their common end."""
