"""Figures for docs/performance.md, repeatable by anyone."""
