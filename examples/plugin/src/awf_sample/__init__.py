"""A sample plug-in of awf."""
