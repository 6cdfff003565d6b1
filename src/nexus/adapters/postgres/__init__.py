"""PostgreSQL, the store of record: pool, unit of work, repositories, migrations."""
