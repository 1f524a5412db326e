"""One service directory: its small files, its state machine, what it shows on disk."""
