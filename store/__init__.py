"""The only place that knows SQL: tables, migrations, queries."""
