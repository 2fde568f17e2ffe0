"""Which provider a delivery was handed to, and when the phone had it.

Revision 0004.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward. Until now each channel had one provider, so whose a delivery was is known."""
    op.add_column("outbox", sa.Column("provider", sa.String(), nullable=True))
    op.add_column("outbox", sa.Column("delivered_at", sa.BigInteger(), nullable=True))
    op.create_index(
        "ix_outbox_sent_at",
        "outbox",
        ["sent_at"],
        unique=False,
        sqlite_where=sa.text("sent_at IS NOT NULL"),
        postgresql_where=sa.text("sent_at IS NOT NULL"),
    )
    op.add_column("attempts", sa.Column("provider", sa.String(), nullable=True))
    op.add_column("attempts", sa.Column("against", sa.Boolean(), nullable=True))
    op.create_index(
        "ix_attempts_provider_at",
        "attempts",
        ["provider", "at"],
        unique=False,
        sqlite_where=sa.text("against IS NOT NULL"),
        postgresql_where=sa.text("against IS NOT NULL"),
    )
    op.create_index(
        "ix_attempts_not_taken",
        "attempts",
        ["at"],
        unique=False,
        sqlite_where=sa.text("against IS NOT NULL AND outcome <> 'sent'"),
        postgresql_where=sa.text("against IS NOT NULL AND outcome <> 'sent'"),
    )
    op.execute(
        "UPDATE outbox SET provider = CASE WHEN channel IN ('sms', 'voice') THEN 'twilio' ELSE channel END"
        " WHERE attempts > 0"
    )
    op.execute(
        "UPDATE outbox SET delivered_at = (SELECT min(receipts.received_at) FROM receipts"
        " WHERE receipts.provider_id = outbox.provider_id AND receipts.status IN ('delivered', 'read', 'completed'))"
        " WHERE state = 'delivered'"
    )
