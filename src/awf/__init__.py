"""awf: a workflow server. YAML state machines, run durably, driven and watched over HTTP."""

__version__ = "0.1.0"

__all__ = ["__version__"]
