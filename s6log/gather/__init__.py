"""The lines of all services that have no logger, on one standard output."""
