"""Sources of many dialects, gateways by name, devices with a model and a map.

Revision 0006.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward. A gateway that was off stays off; since when is not known, and counts from its gap."""
    op.create_table(
        "gateways",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("source", "name", name=op.f("pk_gateways")),
    )
    op.execute(
        "INSERT INTO gateways (source, name, state, since, started_at)"
        " SELECT id, '', gateway_state, COALESCE((SELECT MAX(began_at) FROM hearing_gaps WHERE source = sources.id),"
        " gateway_started_at, 0), gateway_started_at FROM sources WHERE gateway_state IS NOT NULL"
    )
    op.drop_column("sources", "gateway_state")
    op.drop_column("sources", "gateway_started_at")
    op.add_column("sources", sa.Column("document", sa.JSON(), server_default="{}", nullable=False))
    op.add_column("devices", sa.Column("document", sa.JSON(), nullable=True))
