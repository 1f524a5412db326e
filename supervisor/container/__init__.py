"""A container: boot, run, stop, exit code; and the programs that people use in it."""
