"""``github.*``, through the command-line tool ``gh`` where it is installed, else the REST API."""
