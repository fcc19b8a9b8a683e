"""A token and the CA bundle from rds-token-vendor, with the standard library alone."""

import functools
import json
import os
import tempfile
import urllib.error
import urllib.parse
import urllib.request


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments):  # the JWT is for this address alone
        return None


_opener = urllib.request.build_opener(_NoRedirects)


def vend():
    """A fresh token, its connection facts, and the path of the CA bundle to trust."""
    wanted = {"database": os.environ["RTV_DATABASE"], "user": os.environ["RTV_USER"]}
    with open(os.environ["RTV_JWT_FILE"], encoding="ascii") as file:  # read each time: it is rotated
        headers = {"Authorization": f"Bearer {file.read().strip()}"}
    answer = json.loads(_ask("/v1/tokens", urllib.parse.urlencode(wanted).encode(), headers))
    return answer["token"], answer["connection"], _ca_file(answer["ca_bundle"]["href"])


@functools.cache
def _ca_file(href):
    with tempfile.NamedTemporaryFile(suffix=".pem", delete=False) as file:
        file.write(_ask(href))
    return file.name


def _ask(path, data=None, headers={}):
    request = urllib.request.Request(os.environ["RTV_URL"] + path, data, headers)
    try:
        with _opener.open(request, timeout=15) as answer:
            return answer.read()
    except urllib.error.HTTPError as refusal:  # the service's own words have the audit id
        words = refusal.read(4096).decode(errors="replace")
        shown = words if words.startswith('{"type":"urn:rds-token-vendor:') else ""
        raise RuntimeError(f"{path}: {refusal.code} {shown}") from None
