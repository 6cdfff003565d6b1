"""What the login that the product is given may do, beyond acting as the application."""

from collections.abc import Sequence
from contextlib import closing
from typing import Final, LiteralString

import psycopg

# A superuser is a member of every role; that it is one says it all.
_POWERS: Final[LiteralString] = """
    SELECT r.rolsuper, NOT r.rolsuper AND r.rolbypassrls,
           NOT r.rolsuper AND coalesce(pg_has_role(r.oid, t.relowner, 'MEMBER'), false)
      FROM pg_roles r
      LEFT JOIN pg_class t ON t.oid = to_regclass('public.schema_migrations')
     WHERE r.rolname = session_user
"""
_WORDS: Final = ("is a superuser", "bypasses row-level security", "may act as the tables' owner")


def powers_of_login(database_url: str) -> Sequence[str]:
    """
    What this login may do that the product never does; nothing where the database does not answer.

    Every connection acts as the application's role, but whoever gets to execute SQL of
    their own takes back what the login may do, and no trigger or policy holds then.
    """
    try:
        with closing(psycopg.connect(database_url, connect_timeout=3, autocommit=True)) as connection:
            found = connection.execute(_POWERS).fetchone() or ()
    except psycopg.OperationalError:
        return ()
    return [word for word, holds in zip(_WORDS, found, strict=False) if holds]
