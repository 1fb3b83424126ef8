"""How an execution advances: evolve, decide, perform, recover, cancel, supervise."""
