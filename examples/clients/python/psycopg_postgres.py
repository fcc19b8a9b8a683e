"""PostgreSQL with psycopg 3: a pool that asks for a fresh token for each connection it opens."""

import sys

from psycopg_pool import ConnectionPool
from vend import vend


def connection_arguments():
    token, facts, ca_file = vend()
    return {
        "host": facts["host"],
        "port": facts["port"],
        "dbname": facts["database"],
        "user": facts["user"],
        "password": token,
        "sslmode": "verify-full",
        "sslrootcert": ca_file,
        "application_name": facts["application_name"],
        "autocommit": True,
    }


with ConnectionPool(
    kwargs=connection_arguments,  # called for each connection
    check=ConnectionPool.check_connection,
    min_size=1,
    max_size=4,
    timeout=10,
    reconnect_timeout=5,
    open=False,
) as pool:
    pool.open(wait=True, timeout=10)
    for statement in sys.stdin:
        with pool.connection() as connection:
            print(connection.execute(statement).fetchone()[0], flush=True)
