"""Several homes in one message.

Revision 0005.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_WAITING = sa.text("state IN ('pending', 'unknown')")
_BUNDLED = sa.text("bundle IS NOT NULL")


def upgrade() -> None:
    """Go forward. What waits meanwhile has no parts, and goes alone."""
    op.add_column("outbox", sa.Column("brief", sa.JSON(), nullable=True))
    op.add_column("outbox", sa.Column("bundle", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True))
    for name, columns, where in (
        ("ix_outbox_waiting_for", ["recipient_id", "channel"], _WAITING),
        ("ix_outbox_bundle", ["bundle"], _BUNDLED),
    ):
        op.create_index(op.f(name), "outbox", columns, sqlite_where=where, postgresql_where=where)
