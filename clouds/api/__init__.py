"""Clouds and what they hold over REST: `accounts`, `catalogue`, `choices` and `servers`."""
