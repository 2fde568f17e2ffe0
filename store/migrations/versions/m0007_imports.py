"""Homes and devices that came from tables rather than from the files.

Revision 0007.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward. What is there came from the files."""
    for table in ("homes", "devices"):
        op.add_column(table, sa.Column("origin", sa.String(), nullable=True))
