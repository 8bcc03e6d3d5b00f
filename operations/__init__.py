"""Wishes made of back-ends: recorded, approved, run once, reported."""
