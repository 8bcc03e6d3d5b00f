"""Schedulers, the clusters they are shown as, and what runs there."""
