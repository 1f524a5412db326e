"""The programs that ask a supervisor, command it and wait for it, one a file."""
