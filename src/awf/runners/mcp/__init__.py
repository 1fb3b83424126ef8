"""``awf mcp-serve``: operations as the tools of an agent, by the Model Context Protocol."""
