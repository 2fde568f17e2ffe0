"""Bringing homes, the people in them and their devices in from tables: CSV, or a workbook's sheets."""
