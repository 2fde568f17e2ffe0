"""Figures for docs/performance.md, repeatable by anyone: `make bench`, and `make bench-full` for all of them.

Everything runs on this machine and on 127.0.0.1: `shouwang run` as a user runs it (SQLite, synchronous FULL), Mosquitto
on a free port, the load and the SMS provider in processes of their own. Budgets are in `report.BUDGETS`.
"""
