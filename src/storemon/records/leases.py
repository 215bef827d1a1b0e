"""Leases: what only one process does at a time, of all over one database, as long as it goes on to say so.

Each change is one statement, by the database's clock; so of two that want the same lease, one gets it. Whoever holds a
lease must stop what it is for before it runs out: a lease says who may begin, and nothing holds back who overslept.
"""

from datetime import timedelta

from sqlalchemy import Engine, delete
from sqlalchemy.dialects import postgresql, sqlite

from storemon.records.database import is_file, now
from storemon.records.tables import LEASES

_MICROSECOND = timedelta(microseconds=1)
_lease = LEASES.c


class Leases:
    """The leases in ``records``. Every method is one statement, safe from any thread and any process."""

    def __init__(self, records: Engine) -> None:
        self._records = records

    def take(self, name: str, owner: str, length: timedelta) -> bool:
        """Take a lease, or renew it. Tell whether it is the owner's now; else another one holds it.

        Raises:
            SQLAlchemyError: the database can't be reached.

        """
        values = {"name": name, "owner": owner, "ends_at": now() + length // _MICROSECOND}
        free = (_lease.owner == owner) | (_lease.ends_at <= now())
        insert = sqlite.insert if is_file(self._records) else postgresql.insert
        made = insert(LEASES).values(**values)
        changed = {"owner": made.excluded.owner, "ends_at": made.excluded.ends_at}
        taken = made.on_conflict_do_update(index_elements=["name"], set_=changed, where=free).returning(_lease.name)
        with self._records.connect() as connection:
            return connection.execute(taken).first() is not None

    def release(self, name: str, owner: str) -> bool:
        """Let go of a lease, so that another one can have it at once. Tell whether it was the owner's.

        Raises:
            SQLAlchemyError: the database can't be reached.

        """
        held = (_lease.name == name) & (_lease.owner == owner)
        with self._records.connect() as connection:
            return bool(connection.execute(delete(LEASES).where(held)).rowcount)
