"""HTTP, event streams, OpenAPI."""
