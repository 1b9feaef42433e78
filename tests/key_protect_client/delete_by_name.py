"""Deletes with IBM's client the keys of a name, as an administrator does who revokes one disk.

The arguments are what the stand-in says of itself, as JSON, and the name.
"""

import json
import sys

import requests
from ibm_cloud_sdk_core.authenticators import IAMAuthenticator
from keyprotect import ibm_key_protect_api_v2 as api

facts, name = json.loads(sys.argv[1]), sys.argv[2]
instance = facts["instance_id"]
with open(facts["api_key_file"]) as file:
    iam = facts["iam_url"].removesuffix("/identity/token")
    client = api.IbmKeyProtectApiV2(authenticator=IAMAuthenticator(file.read().strip(), url=iam))
client.set_service_url(facts["url"])

listed = client.get_keys(bluemix_instance=instance, extractable=True).get_result()
listed = listed.json() if isinstance(listed, requests.Response) else listed
keys = [key for key in listed["resources"] if key["name"] == name]
for key in keys:
    client.delete_key(id=key["id"], bluemix_instance=instance)
print(f"{len(keys)} deleted")
