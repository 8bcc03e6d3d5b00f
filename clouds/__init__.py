"""Clouds: accounts at them, what they hold, and what people make there."""
