"""PostgreSQL with SQLAlchemy: an engine whose pool asks for a fresh token for each connection it opens."""

import sys

from sqlalchemy import create_engine, event, text
from vend import vend

engine = create_engine("postgresql+psycopg://", pool_pre_ping=True, pool_size=4, isolation_level="AUTOCOMMIT")


@event.listens_for(engine, "do_connect")
def provide_token(dialect, record, arguments, parameters):
    token, facts, ca_file = vend()
    parameters.update(
        host=facts["host"],
        port=facts["port"],
        dbname=facts["database"],
        user=facts["user"],
        password=token,
        sslmode="verify-full",
        sslrootcert=ca_file,
        application_name=facts["application_name"],
    )


for statement in sys.stdin:
    with engine.connect() as connection:
        print(connection.execute(text(statement)).scalar(), flush=True)
