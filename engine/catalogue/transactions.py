"""What both databases promise: a transaction reads one state, and one transaction at a time writes."""

from sqlalchemy import Connection

WRITE_OPTION = "dvsa_write"
"""The execution option of connections whose transactions write."""


def writes(connection: Connection) -> bool:
    """Whether the transactions of a connection write."""
    return bool(connection.get_execution_options().get(WRITE_OPTION, False))
