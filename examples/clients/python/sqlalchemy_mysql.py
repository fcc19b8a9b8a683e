"""MySQL and MariaDB with SQLAlchemy and MySQL Connector/Python: a fresh token for each connection the pool opens."""

import sys

from sqlalchemy import create_engine, event, text
from vend import vend

engine = create_engine("mysql+mysqlconnector://", pool_pre_ping=True, pool_size=4, isolation_level="AUTOCOMMIT")


@event.listens_for(engine, "do_connect")
def provide_token(dialect, record, arguments, parameters):
    token, facts, ca_file = vend()
    parameters.update(
        host=facts["host"],
        port=facts["port"],
        database=facts["database"],
        user=facts["user"],
        password=token,
        auth_plugin="mysql_clear_password",  # the driver sends it over TLS alone
        ssl_ca=ca_file,
        ssl_verify_cert=True,
        ssl_verify_identity=True,
        conn_attrs=facts["connection_attributes"],
        use_pure=True,
    )


for statement in sys.stdin:
    with engine.connect() as connection:
        print(connection.execute(text(statement)).scalar(), flush=True)
