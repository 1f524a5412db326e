"""Small programs between two pipes: they read lines and write them changed."""
