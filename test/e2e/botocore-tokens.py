"""Signs RDS auth tokens with botocore's own generate_db_auth_token, under a frozen clock.

Reads JSON from standard input: a list of {host, port, region, user, accessKeyId, secretAccessKey, sessionToken, date},
where date is an X-Amz-Date. Writes a JSON list of the tokens, in the same order.
"""

import datetime
import json
import sys

import botocore.auth
import botocore.credentials
import botocore.session


def freeze(date):
    """Newer versions ask botocore.compat for the time; older ones ask datetime itself."""
    frozen = datetime.datetime.strptime(date, "%Y%m%dT%H%M%SZ")
    if hasattr(botocore.auth, "get_current_datetime"):
        botocore.auth.get_current_datetime = lambda *_, **__: frozen
        return

    class FrozenDatetime(datetime.datetime):
        @classmethod
        def utcnow(cls):
            return frozen

    class FrozenModule:
        datetime = FrozenDatetime

    botocore.auth.datetime = FrozenModule


def client_of(session, clients, claims):
    """One RDS client for each set of credentials and region: making one takes a noticeable time."""
    key = (claims["region"], claims["accessKeyId"])
    if key not in clients:
        clients[key] = session.create_client(
            "rds",
            region_name=claims["region"],
            aws_access_key_id=claims["accessKeyId"],
            aws_secret_access_key=claims["secretAccessKey"],
            aws_session_token=claims["sessionToken"],
        )
    return clients[key]


def main():
    session = botocore.session.Session()
    clients = {}
    tokens = []
    for claims in json.load(sys.stdin):
        freeze(claims["date"])
        client = client_of(session, clients, claims)
        tokens.append(client.generate_db_auth_token(claims["host"], claims["port"], claims["user"]))
    json.dump(tokens, sys.stdout)


main()
