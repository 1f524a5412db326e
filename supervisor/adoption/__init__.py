"""What outlives a supervisor: records of processes, the keeper of pipes, pidfds."""
