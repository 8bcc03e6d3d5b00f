"""The interactive shell and scripts of `cm` commands; imported only when one is wanted."""
