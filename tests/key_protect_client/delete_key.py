"""Deletes a key there as an administrator does who revokes one disk: finds it by the identifier that VMware knows.

The arguments are what the stand-in says of itself, as JSON, and that identifier.
"""

import json
import sys

from ibm_cloud_sdk_core.authenticators import IAMAuthenticator
from keyprotect import IbmKeyProtectApiV2

facts = json.loads(sys.argv[1])
with open(facts["second_api_key_file"]) as file:
    authenticator = IAMAuthenticator(file.read(), url=facts["iam_url"].removesuffix("/identity/token"))
client = IbmKeyProtectApiV2(authenticator=authenticator)
client.set_service_url(facts["url"])
instance = facts["instance_id"]

found = client.get_keys(instance, extractable=True, search=sys.argv[2]).get_result().json()["resources"]
assert len(found) == 1, [key["name"] for key in found]
assert found[0]["name"].startswith("vmware_kmip"), found[0]["name"]
client.delete_key(found[0]["id"], instance)
print("deleted", found[0]["id"])
