"""The `cm` command."""
