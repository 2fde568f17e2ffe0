"""Devices that nobody has registered, and tests of those that somebody has.

Revision 0009.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "strangers",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("first_seen", sa.BigInteger(), nullable=False),
        sa.Column("last_seen", sa.BigInteger(), nullable=False),
        sa.Column("kinds", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("source", "name", name=op.f("pk_strangers")),
    )
    op.create_index(op.f("ix_strangers_last_seen"), "strangers", ["last_seen"])
    op.create_table(
        "testing",
        sa.Column("home_id", sa.String(), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("home_id", name=op.f("pk_testing")),
    )
    op.create_table(
        "device_tests",
        sa.Column("id", _ID, nullable=False),
        sa.Column("device_id", sa.String(), nullable=False),
        sa.Column("home_id", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device_tests")),
    )
    op.create_index(op.f("ix_device_tests_home_id"), "device_tests", ["home_id"])
    op.create_index(op.f("ix_device_tests_device_id_at"), "device_tests", ["device_id", "at"])
