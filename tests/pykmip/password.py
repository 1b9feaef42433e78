"""PyKMIP's client shows a user name and a password in the header of each request.

Environment: CLAVIGER_KMIP (host:port), CLAVIGER_CLIENT_CERT, CLAVIGER_CLIENT_KEY, CLAVIGER_CA, and the user's
CLAVIGER_USERNAME and CLAVIGER_PASSWORD. Prints one line a version; any exception ends it with a traceback.
"""

import os

from kmip import enums
from kmip.pie.client import ProxyKmipClient
from kmip.pie.exceptions import KmipOperationFailure

USERNAME = os.environ["CLAVIGER_USERNAME"]
PASSWORD = os.environ["CLAVIGER_PASSWORD"]


def client(version, username=None, password=None):
    host, port = os.environ["CLAVIGER_KMIP"].rsplit(":", 1)
    return ProxyKmipClient(
        hostname=host,
        port=int(port),
        cert=os.environ["CLAVIGER_CLIENT_CERT"],
        key=os.environ["CLAVIGER_CLIENT_KEY"],
        ca=os.environ["CLAVIGER_CA"],
        username=username,
        password=password,
        config_file=os.devnull,
        kmip_version=version,
    )


def make(kmip):
    with kmip:
        key = kmip.create(enums.CryptographicAlgorithm.AES, 256)
        return kmip.get(key)


for version in (enums.KMIPVersion.KMIP_1_1, enums.KMIPVersion.KMIP_1_4, enums.KMIPVersion.KMIP_2_0):
    make(client(version, USERNAME, PASSWORD))
    for wrong in ((None, None), (USERNAME, PASSWORD[::-1])):
        try:
            make(client(version, *wrong))
        except KmipOperationFailure as failure:
            assert failure.reason == enums.ResultReason.AUTHENTICATION_NOT_SUCCESSFUL, failure
        else:
            raise AssertionError(f"{version} let {wrong[0]} in")
    print(version.name, "ok")
