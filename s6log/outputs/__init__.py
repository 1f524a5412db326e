"""Where bytes go: stdout, alerts, status files, log directories."""
