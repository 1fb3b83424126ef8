"""What happened to executions, and the port that keeps it."""
