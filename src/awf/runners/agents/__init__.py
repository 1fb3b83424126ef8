"""Agents: one provider per file, and the runner of ``type: agent``."""
