"""Reads renderings with libpq itself. One JSON object a line: {kind, text, ...}; answers one JSON object a line."""

import ctypes
import ctypes.util
import json
import os
import sys
import tempfile

libpq = ctypes.CDLL("libpq.so.5")


class Option(ctypes.Structure):
    _fields_ = [(name, ctypes.c_char_p) for name in ("keyword", "envvar", "compiled", "val", "label", "dispchar")] + [
        ("dispsize", ctypes.c_int)
    ]


libpq.PQconninfoParse.restype = ctypes.POINTER(Option)
libpq.PQconndefaults.restype = ctypes.POINTER(Option)
libpq.PQconnectStart.restype = ctypes.c_void_p
libpq.PQpass.restype = ctypes.c_char_p
libpq.PQpass.argtypes = [ctypes.c_void_p]
libpq.PQfinish.argtypes = [ctypes.c_void_p]


def values(options):
    found = {}
    at = 0
    while options[at].keyword:
        if options[at].val is not None:
            found[options[at].keyword.decode()] = options[at].val.decode()
        at += 1
    return found


def setenv(name, value):
    os.environ[name] = value  # which calls putenv


def uri(item):
    error = ctypes.c_char_p()
    options = libpq.PQconninfoParse(item["text"].strip().encode(), ctypes.byref(error))
    return values(options) if options else {"error": error.value.decode()}


def service(item):
    with tempfile.NamedTemporaryFile("w", encoding="utf-8") as file:
        file.write(item["text"])
        file.flush()
        setenv("PGSERVICEFILE", file.name)
        setenv("PGSERVICE", item["service"])
        options = libpq.PQconndefaults()
        del os.environ["PGSERVICE"]
        return values(options) if options else {"error": "refused"}


def quoted(value):
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def pgpass(item):
    with tempfile.NamedTemporaryFile("w", encoding="utf-8") as file:
        file.write(item["text"])
        file.flush()
        # Port 1 of this machine: nobody listens, and the password is looked up before anybody is asked.
        wanted = {**item["wanted"], "hostaddr": "127.0.0.1", "passfile": file.name}
        conninfo = " ".join(f"{name}={quoted(str(value))}" for name, value in wanted.items())
        connection = libpq.PQconnectStart(conninfo.encode())
        password = libpq.PQpass(connection)
        libpq.PQfinish(connection)
        return {"password": password.decode() if password else None}


for line in sys.stdin:
    item = json.loads(line)
    print(json.dumps({"uri": uri, "service": service, "pgpass": pgpass}[item["kind"]](item)))
