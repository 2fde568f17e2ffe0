"""What Alembic runs to get a connection: the one that the store has opened."""

from alembic import context

from store.tables import metadata

# Some columns of tables.py would be compared by types of our own; autogenerate is a help here, and no more.
context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, compare_type=True)
with context.begin_transaction():
    context.run_migrations()
