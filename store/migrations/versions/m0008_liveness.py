"""Due times of gateways and of homes, what gateways say of how often their devices speak, and the security journal.

Revision 0008.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_KINDS = "kind IN ('step', 'arrival', 'outcome', 'hold', 'absence', 'offline', 'gateway', 'unwatched', 'untested')"
_ESCALATING = sa.text("kind IN ('step', 'arrival', 'outcome')")


def upgrade() -> None:
    """Go forward. SQLite cannot change a constraint: what waits is moved into a new table."""
    if op.get_bind().dialect.name == "sqlite":
        op.drop_index("ix_due_due_at", "due")
        op.drop_index("ix_due_escalating", "due")
        op.rename_table("due", "due_before")
        op.create_table(
            "due",
            sa.Column("subject", sa.String(), nullable=False),
            sa.Column("kind", sa.String(), nullable=False),
            sa.Column("due_at", sa.BigInteger(), nullable=False),
            sa.CheckConstraint(_KINDS, name=op.f("ck_due_kind")),
            sa.PrimaryKeyConstraint("subject", "kind", name=op.f("pk_due")),
            sqlite_with_rowid=False,
        )
        op.execute("INSERT INTO due (subject, kind, due_at) SELECT subject, kind, due_at FROM due_before")
        op.drop_table("due_before")
        op.create_index(op.f("ix_due_due_at"), "due", ["due_at"])
        op.create_index("ix_due_escalating", "due", ["due_at"], sqlite_where=_ESCALATING)
    else:
        op.drop_constraint(op.f("ck_due_kind"), "due", type_="check")
        op.create_check_constraint(op.f("ck_due_kind"), "due", sa.text(_KINDS))
    op.add_column("device_definitions", sa.Column("heartbeat_s", sa.Integer(), nullable=True))
    op.create_table(
        "security_journal",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "source", "subject", name=op.f("pk_security_journal")),
    )
    op.create_index(op.f("ix_security_journal_last_at"), "security_journal", ["last_at"])
