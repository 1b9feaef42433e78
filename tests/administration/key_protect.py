"""Manages adapters, certificates and objects with IBM's client, and checks what comes back.

The one argument is JSON: the URL of the server, its instance (anything), an access token, the root key's identifier, a file
with a client's certificate, and which authenticator to come in with. Between its two halves it waits for a line on its input:
by then a KMIP client has made keys in the adapter, whose identifiers the line has.
"""

import json
import sys
import uuid

from ibm_cloud_sdk_core import ApiException
from ibm_cloud_sdk_core.authenticators import BearerTokenAuthenticator, IAMAuthenticator
from keyprotect import ibm_key_protect_api_v2 as api

ADAPTER = "application/vnd.ibm.kms.kmip_adapter+json"
CERTIFICATE = "application/vnd.ibm.kms.kmip_client_certificate+json"

facts = json.loads(sys.argv[1])
instance = facts["instance"]


def client(token):
    if facts["authenticator"] == "iam":
        authenticator = IAMAuthenticator(token, url=facts["url"])
    else:
        authenticator = BearerTokenAuthenticator(token)
    made = api.IbmKeyProtectApiV2(authenticator=authenticator)
    made.set_service_url(facts["url"])
    return made


kms = client(facts["token"])


def collection(kind):
    return api.CollectionMetadata(kind, 1)


def refused(status, code, call, *arguments, **options):
    try:
        call(*arguments, **options)
    except ApiException as error:
        assert error.status_code == status, (status, error)
        reason = error.http_response.json()["resources"][0]["reasons"][0]
        assert reason["code"] == code and reason["status"] == status, reason
        return
    raise AssertionError(f"{call.__name__} was not refused")


def native(crk):
    return api.KMIPProfileDataBodyKMIPProfileDataNative(crk)


def make(name, crk, **options):
    wanted = api.CreateKMIPAdapterObject("native_1.0", name=name, profile_data=native(crk), **options)
    return kms.create_kmip_adapter(instance, collection(ADAPTER), [wanted])


# Adapters.
answer = make("east", facts["crk_id"], description="Data centre East", )
assert answer.get_status_code() == 201
made = api.ListKMIPAdapters.from_dict(answer.get_result()).resources[0]
assert (made.name, made.profile, made.description) == ("east", "native_1.0", "Data centre East")
assert made.created_by == "token ibm", made.created_by
assert made.profile_data["crk_id"] == facts["crk_id"]
unnamed = make(None, facts["crk_id"]).get_result()["resources"][0]
assert unnamed["name"].startswith("kmip_adapter_"), unnamed

refused(409, "KMIP_ADAPTER_DUPLICATE_NAME_ERR", make, "east", facts["crk_id"])
refused(404, "NATIVE_CRK_ID_NOT_FOUND_ERR", make, "west", str(uuid.uuid4()))
refused(400, "INVALID_FIELD_ERR", make, "no spaces here", facts["crk_id"])
refused(404, "NOT_FOUND_ERR", kms.get_kmip_adapter, "nowhere", instance)

listed = kms.get_kmip_adapters(instance, total_count=True, limit=1).get_result()
listed = api.ListKMIPAdaptersWithTotalCount.from_dict(listed)
assert len(listed.resources) == 1 and listed.metadata.total_count == 3, listed
of_key = kms.get_kmip_adapters(instance, crk_id=facts["crk_id"]).get_result()["resources"]
assert len(of_key) == 3, of_key
assert kms.get_kmip_adapters(instance, crk_id=str(uuid.uuid4())).get_result()["resources"] == []
by_id = kms.get_kmip_adapter(made.id, instance).get_result()["resources"][0]
by_name = kms.get_kmip_adapter("east", instance).get_result()["resources"][0]
assert by_id == by_name

# Certificates.
with open(facts["certificate"]) as file:
    pem = file.read()
wanted = api.CreateKMIPClientCertificateObject(pem, name="vcenter")
answer = kms.add_kmip_client_certificate("east", instance, collection(CERTIFICATE), [wanted])
assert answer.get_status_code() == 201
added = api.ListKMIPClientCertificates.from_dict(answer.get_result()).resources[0]
assert added.name == "vcenter" and added.created_by == "token ibm"
assert added.certificate.split() == pem.split()
refused(
    409, "DUPLICATE_ERR", kms.add_kmip_client_certificate, "east", instance, collection(CERTIFICATE), [wanted]
)
broken = api.CreateKMIPClientCertificateObject("no certificate")
refused(
    400, "INVALID_FIELD_ERR", kms.add_kmip_client_certificate, "east", instance, collection(CERTIFICATE), [broken]
)
listed = kms.get_kmip_client_certificates("east", instance, total_count=True).get_result()
listed = api.ListKMIPPartialClientCertificatesWithTotalCount.from_dict(listed)
assert [entry.id for entry in listed.resources] == [added.id] and listed.metadata.total_count == 1
for name in (added.id, "vcenter"):
    shown = kms.get_kmip_client_certificate("east", name, instance).get_result()["resources"][0]
    assert shown["id"] == added.id and shown["certificate"].split() == pem.split()
changed = kms.get_kmip_adapter("east", instance).get_result()["resources"][0]
assert changed["updated_at"] == shown["created_at"], changed

# Objects, which a KMIP client makes meanwhile.
print("adapter is ready", flush=True)
active, spare = json.loads(sys.stdin.readline())
listed = kms.get_kmip_objects("east", instance, total_count=True).get_result()
listed = api.ListKMIPObjectsWithTotalCount.from_dict(listed)
assert {entry.id for entry in listed.resources} == {active, spare}, listed
assert listed.metadata.total_count == 2
for entry in listed.resources:
    assert entry.kmip_object_type == 2 and entry.created_by_kmip_client_cert_id == added.id, entry
    assert entry.created_by == "token ibm", entry
of_state = kms.get_kmip_objects("east", instance, state=[2]).get_result()["resources"]
assert [entry["id"] for entry in of_state] == [active], of_state
refused(400, "INVALID_FIELD_ERR", kms.get_kmip_objects, "east", instance, state=[9])
refused(404, "NOT_FOUND_ERR", kms.get_kmip_object, "east", instance, str(uuid.uuid4()))
refused(404, "NOT_FOUND_ERR", kms.get_kmip_object, unnamed["name"], instance, active)

refused(409, "PROTECTED_RESOURCE_ERR", kms.delete_kmip_adapter, "east", instance)
refused(409, "KEY_ACTION_INVALID_STATE_ERR", kms.delete_kmip_object, "east", instance, active)
assert kms.delete_kmip_object("east", instance, spare).get_status_code() == 204
assert kms.delete_kmip_object("east", instance, active, force=True).get_status_code() == 204
refused(409, "KEY_DELETED_ERR", kms.delete_kmip_object, "east", instance, active, force=True)
assert kms.get_kmip_objects("east", instance).get_result()["resources"] == []
gone = kms.get_kmip_object("east", instance, active).get_result()["resources"][0]
gone = api.KMIPObject.from_dict(gone)
assert gone.state == 5 and gone.destroyed_at is not None and gone.destroyed_by == "the token ibm", gone

# What is not the token's.
stranger = client(facts["token"] + "x")
try:
    stranger.get_kmip_adapters(instance)
    raise AssertionError("a token that nobody made lets in")
except ApiException as error:
    assert error.status_code in (400, 401), error

kms.delete_kmip_client_certificate("east", added.id, instance)
refused(404, "NOT_FOUND_ERR", kms.get_kmip_client_certificate, "east", "vcenter", instance)
for name in ("east", unnamed["id"]):
    assert kms.delete_kmip_adapter(name, instance).get_status_code() == 204
print("all calls driven", flush=True)
