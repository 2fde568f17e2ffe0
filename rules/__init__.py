"""Decisions, and nothing else: values in, decisions with reasons out."""
