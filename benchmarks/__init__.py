"""Ratios against bounds measured in the same run; `make bench` runs all and writes RESULTS.md."""
