"""Programs that change one thing about the process and execute the next program."""
