"""Finding workflow files, and pinning what an execution needs of them."""
