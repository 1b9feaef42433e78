"""Drives every call of IBM's client that the stand-in for Key Protect serves, and checks what comes back.

The one argument is what the stand-in says of itself, as JSON.
"""

import base64
import io
import json
import os
import sys
import uuid
from datetime import datetime, timedelta, timezone

import requests
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from ibm_cloud_sdk_core import ApiException
from ibm_cloud_sdk_core.authenticators import IAMAuthenticator
from keyprotect import ibm_key_protect_api_v2 as api

# What the stand-in does not serve, and why.
NOT_SERVED = {
    "new_instance": "reads the environment; calls nothing",
    "construct_service_url": "makes a URL; calls nothing",
    **{
        method: "KMIP adapters are what Claviger is in the place of"
        for method in vars(api.IbmKeyProtectApiV2)
        if "kmip" in method
    },
}

KEY_TYPE = "application/vnd.ibm.kms.key+json"
POLICY_TYPE = "application/vnd.ibm.kms.policy+json"

facts = json.loads(sys.argv[1])
instance = facts["instance_id"]
driven = set()


class Client:
    """IBM's client, with the instance filled in, and a note of every method that was called."""

    def __init__(self, api_key_file):
        with open(api_key_file) as file:
            iam = facts["iam_url"].removesuffix("/identity/token")
            authenticator = IAMAuthenticator(file.read(), url=iam)
        self.client = api.IbmKeyProtectApiV2(authenticator=authenticator)
        self.client.set_service_url(facts["url"])

    def __getattr__(self, method):
        def call(*arguments, **options):
            driven.add(method)
            return getattr(self.client, method)(*arguments, bluemix_instance=instance, **options)

        return call


def content(response):
    """What a response says, whether or not the client has read it as JSON itself."""
    result = response.get_result()
    return result.json() if isinstance(result, requests.Response) else result


def one(response):
    resources = content(response)["resources"]
    assert len(resources) == 1, resources
    return resources[0]


def body(document):
    return io.BytesIO(json.dumps(document).encode())


def collection(kind, *resources):
    return {"metadata": {"collectionType": kind, "collectionTotal": len(resources)}, "resources": list(resources)}


def new_key(name, extractable=False, **more):
    return body(collection(KEY_TYPE, {"type": KEY_TYPE, "name": name, "extractable": extractable, **more}))


def text(raw):
    return base64.b64encode(raw).decode()


def refused(status, code, call, *arguments, **options):
    """The call fails with this status and this reason, in the service's form of an error."""
    try:
        call(*arguments, **options)
    except ApiException as error:
        assert error.status_code == status, (error.status_code, error.http_response.text)
        said = error.http_response.json()
        assert said["metadata"]["collectionType"] == "application/vnd.ibm.kms.error+json", said
        reason = said["resources"][0]["reasons"][0]
        assert reason["code"] == code and reason["status"] == status, reason
        return
    raise AssertionError(f"{code} was expected")


def control(method, path, document=None):
    response = requests.request(method, facts["url"] + "/control/" + path, json=document, timeout=30)
    response.raise_for_status()
    return response


def keys():
    response = kp.create_key(
        key_create_body=new_key("first root key", aliases=["first", "first-b"], description="of a test", tags=["a tag"]),
        prefer="return=representation",
    )
    assert response.get_status_code() == 201
    root = api.Key.from_dict(content(response)).resources[0]
    assert root.state == 1 and root.extractable is False and root.imported is False and root.deleted is False
    assert root.aliases == ["first", "first-b"] and root.tags == ["a tag"] and root.key_ring_id == "default"
    assert f":{instance}:key:{root.id}" in root.crn
    assert one(kp.create_key(key_create_body=new_key("small answer"), prefer="return=minimal")).keys() == {"id"}
    refused(409, "KEY_ALIAS_NOT_UNIQUE_ERR", kp.create_key, key_create_body=new_key("again", aliases=["first"]))
    refused(400, "BAD_BODY_ERR", kp.create_key, key_create_body=io.BytesIO(b"no JSON"))
    two = collection(KEY_TYPE, {"name": "aa"}, {"name": "bb"})
    refused(400, "BAD_BODY_ERR", kp.create_key, key_create_body=body(two))

    standard = one(kp.create_key(key_create_body=new_key("standard", True, payload=text(b"an own secret"))))
    assert standard["payload"] == text(b"an own secret") and standard["imported"] is True
    made = one(kp.create_key(key_create_body=new_key("made standard", True)))
    assert len(base64.b64decode(made["payload"])) == 32 and made["imported"] is False
    read = api.GetKey.from_dict(content(kp.get_key(id=standard["id"]))).resources[0]
    assert bytes(read.payload) == b"an own secret" or read.payload == text(b"an own secret"), read.payload
    assert one(kp.get_key(id="first"))["id"] == root.id
    assert "payload" not in one(kp.get_key(id=root.id))
    metadata = api.GetKeyMetadata.from_dict(content(kp.get_key_metadata(id="first-b"))).resources[0]
    assert metadata.id == root.id and metadata.key_version.id == root.key_version.id
    refused(404, "KEY_NOT_FOUND_ERR", kp.get_key, id=str(uuid.uuid4()))
    refused(404, "KEY_NOT_FOUND_ERR", kp.get_key_metadata, id="no-such-alias")
    refused(400, "KEY_ROOT_REQ_ERR", kp.wrap_key, id=standard["id"])
    return root.id, standard["id"]


def lists(root, standard):
    everything = api.ListKeys.from_dict(content(kp.get_keys())).resources
    total = int(kp.get_key_collection_metadata().get_headers()["Key-Total"])
    assert total == len(everything) == 4
    names = [key.name for key in everything]
    assert [key.id for key in everything] == sorted(key.id for key in everything)
    paged = [content(kp.get_keys(limit=3, offset=offset))["resources"] for offset in (0, 3)]
    assert [len(page) for page in paged] == [3, 1]
    assert [key["name"] for page in paged for key in page] == names
    assert {key["id"] for key in content(kp.get_keys(extractable=True))["resources"]} >= {standard}
    assert int(kp.get_key_collection_metadata(extractable=False, state=[1]).get_headers()["Key-Total"]) == 2
    assert content(kp.get_keys(state=[0, 2, 3, 5]))["resources"] == []

    def found(**query):
        return [key["name"] for key in content(kp.get_keys(**query))["resources"]]

    assert found(search="FIRST") == ["first root key"]
    assert found(search="exact:alias:first-b") == ["first root key"]
    assert found(search="exact:name:first") == []
    assert "first root key" not in found(search="not:first") and len(found(search="not:first")) == 3
    assert found(search=root) == ["first root key"]
    assert found(sort="-extractable,creationDate")[:2] == ["standard", "made standard"]
    assert found(filter="extractable=false state=1,2", sort="creationDate") == ["first root key", "small answer"]
    assert found(filter='creationDate=lt:"2020-01-01T00:00:00Z"') == []
    assert len(found(filter='creationDate=gte:"2020-01-01T00:00:00Z" lastRotateDate=none')) == 4
    refused(400, "INVALID_FIELD_ERR", kp.get_keys, filter="state=1", state=[1])
    refused(400, "INVALID_FIELD_ERR", kp.get_keys, sort="colour")
    refused(400, "INVALID_FIELD_ERR", kp.get_keys, limit=5001)


def actions(root):
    wrapped = content(kp.wrap_key(id=root))
    assert len(base64.b64decode(wrapped["plaintext"])) == 32
    json.loads(base64.b64decode(wrapped["ciphertext"]))
    api.WrapKeyResponseBody.from_dict(wrapped)
    own = text(b"not a multiple of eight")
    aad = ["adapter=1", "object=2"]
    bound = content(kp.wrap_key(id="first", key_action_wrap_body=body({"plaintext": own, "aad": aad})))
    assert "plaintext" not in bound
    opened = content(kp.unwrap_key(id=root, key_action_unwrap_body=body({"ciphertext": bound["ciphertext"], "aad": aad})))
    assert opened["plaintext"] == own and opened["keyVersion"] == bound["keyVersion"] and "ciphertext" not in opened
    for other in ({}, {"aad": aad[:1]}, {"aad": ["adapter=1object=2"]}):
        action = body({"ciphertext": bound["ciphertext"], **other})
        refused(422, "UNPROCESSABLE_CIPHERTEXT_ERR", kp.unwrap_key, id=root, key_action_unwrap_body=action)
    refused(400, "INVALID_FIELD_ERR", kp.wrap_key, id=root, key_action_wrap_body=body({"aad": ["x" * 256]}))
    refused(400, "NO_BODY_ERR", kp.unwrap_key, id=root, key_action_unwrap_body=io.BytesIO(b""))
    raw = base64.b64decode(bound["ciphertext"])
    for place in range(0, len(raw), 7):
        for bit in (1, 0x20):
            changed = bytearray(raw)
            changed[place] ^= bit
            action = body({"ciphertext": text(bytes(changed)), "aad": aad})
            refused(422, "UNPROCESSABLE_CIPHERTEXT_ERR", kp.unwrap_key, id=root, key_action_unwrap_body=action)

    assert kp.rotate_key(id=root, prefer="return=representation").get_status_code() == 204
    again = content(kp.unwrap_key(id=root, key_action_unwrap_body=body({"ciphertext": bound["ciphertext"], "aad": aad})))
    assert again["plaintext"] == own and again["keyVersion"] == bound["keyVersion"]
    assert again["ciphertext"] != bound["ciphertext"] and again["rewrappedKeyVersion"] != again["keyVersion"]
    api.UnwrapKeyResponseBody.from_dict(again)
    fresh = content(kp.rewrap_key(id=root, key_action_rewrap_body=body({"ciphertext": wrapped["ciphertext"]})))
    api.RewrapKeyResponseBody.from_dict(fresh)
    assert fresh["keyVersion"] == wrapped["keyVersion"]
    assert fresh["rewrappedKeyVersion"] == again["rewrappedKeyVersion"] and "plaintext" not in fresh
    for ciphertext in (wrapped["ciphertext"], fresh["ciphertext"]):
        opened = content(kp.unwrap_key(id=root, key_action_unwrap_body=body({"ciphertext": ciphertext})))
        assert opened["plaintext"] == wrapped["plaintext"]

    versions = content(kp.get_key_versions(id=root, total_count=True, limit=1))
    assert versions["metadata"]["totalCount"] == 2
    api.ListKeyVersions.from_dict(versions)
    assert versions["resources"][0]["id"] == again["rewrappedKeyVersion"]["id"]
    before = content(kp.get_key_versions(id=root, limit=1, offset=1))["resources"][0]
    assert before["id"] == bound["keyVersion"]["id"]
    assert one(kp.get_key_metadata(id=root))["lastRotateDate"]

    older = content(kp.action_on_key(id=root, action="wrap", key_action_body=body({"plaintext": own})))
    action = body({"ciphertext": older["ciphertext"]})
    assert content(kp.action_on_key(id=root, action="unwrap", key_action_body=action))["plaintext"] == own
    assert kp.sync_associated_resources(id=root).get_status_code() == 204


def states(root):
    ciphertext = content(kp.wrap_key(id=root))["ciphertext"]
    assert kp.disable_key(id=root).get_status_code() == 204
    assert one(kp.get_key_metadata(id=root))["state"] == 2
    refused(409, "KEY_ACTION_INVALID_STATE_ERR", kp.wrap_key, id=root)
    action = {"key_action_unwrap_body": body({"ciphertext": ciphertext})}
    refused(409, "KEY_ACTION_INVALID_STATE_ERR", kp.unwrap_key, id=root, **action)
    refused(409, "KEY_ACTION_INVALID_STATE_ERR", kp.disable_key, id=root)
    assert kp.enable_key(id=root).get_status_code() == 204
    refused(409, "KEY_ACTION_INVALID_STATE_ERR", kp.enable_key, id=root)
    control("POST", f"keys/{root}/preactivate")
    assert one(kp.get_key_metadata(id=root))["state"] == 0
    refused(409, "KEY_ACTION_INVALID_STATE_ERR", kp.wrap_key, id=root)
    control("POST", f"keys/{root}/enable")

    response = kp.delete_key(id=root, prefer="return=representation")
    deleted = api.DeleteKey.from_dict(content(response)).resources[0]
    assert response.get_status_code() == 200 and deleted.state == 5 and deleted.deleted and deleted.deletion_date
    refused(410, "KEY_DELETED_ERR", kp.delete_key, id=root)
    refused(410, "KEY_DELETED_ERR", kp.get_key, id=root)
    refused(410, "KEY_DELETED_ERR", kp.wrap_key, id=root)
    refused(410, "KEY_DELETED_ERR", kp.get_key_versions, id=root)
    assert len(content(kp.get_key_versions(id=root, all_key_states=True))["resources"]) == 2
    assert one(kp.get_key_metadata(id=root))["restoreAllowed"] is True
    assert [key["id"] for key in content(kp.get_keys(state=[5]))["resources"]] == [root]
    assert kp.restore_key(id=root, prefer="return=representation").get_status_code() == 201
    refused(409, "KEY_ACTION_INVALID_STATE_ERR", kp.restore_key, id=root)
    opened = content(kp.unwrap_key(id=root, key_action_unwrap_body=body({"ciphertext": ciphertext})))
    assert len(base64.b64decode(opened["plaintext"])) == 32

    refused(409, "KEY_ACTION_INVALID_STATE_ERR", kp.purge_key, id=root)
    assert kp.delete_key(id=root).get_status_code() == 204
    response = kp.purge_key(id=root, prefer="return=representation")
    api.PurgeKey.from_dict(content(response))
    refused(404, "KEY_NOT_FOUND_ERR", kp.get_key_metadata, id=root)


def imported():
    material = os.urandom(32)
    key = one(kp.create_key(key_create_body=new_key("brought", payload=text(material))))
    assert key["imported"] is True and "payload" not in key
    refused(400, "KEY_PAYLOAD_REQ_ERR", kp.rotate_key, id=key["id"])
    payload = body({"payload": text(os.urandom(32))})
    assert kp.rotate_key(id=key["id"], key_action_rotate_body=payload).get_status_code() == 204
    refused(400, "INVALID_FIELD_ERR", kp.create_key, key_create_body=new_key("odd", payload=text(b"odd")))

    token = content(kp.post_import_token(expiration=600, max_allowed_retrievals=1))
    assert api.ImportToken.from_dict(token).remaining_retrievals == 1
    token = content(kp.get_import_token())
    api.GetImportToken.from_dict(token)
    refused(409, "IMPORT_TOKEN_EXPIRED_ERR", kp.get_import_token)
    public = serialization.load_pem_public_key(base64.b64decode(token["payload"]))
    oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
    iv = os.urandom(12)

    def under_the_token(nonce):
        return new_key(
            "brought under a token",
            payload=text(public.encrypt(material, oaep)),
            encryptedNonce=text(AESGCM(material).encrypt(iv, nonce, None)),
            iv=text(iv),
            encryptionAlgorithm="RSAES_OAEP_SHA_256",
        )

    nonce = base64.b64decode(token["nonce"])
    assert one(kp.create_key(key_create_body=under_the_token(nonce)))["imported"] is True
    refused(400, "INCORRECT_NONCE_ERR", kp.create_key, key_create_body=under_the_token(nonce[::-1]))


def policies():
    created = kp.create_key_with_policies_overrides(
        key_with_policy_overrides_create_body=new_key(
            "with policies", rotation={"enabled": True, "interval_month": 6}, dualAuthDelete={"enabled": False}
        )
    )
    key = one(created)
    assert key["rotation"] == {"enabled": True, "interval_month": 6} and key["dualAuthDelete"] == {"enabled": False}
    key = key["id"]
    rotation = collection(POLICY_TYPE, {"type": POLICY_TYPE, "rotation": {"enabled": True, "interval_month": 3}})
    put = content(kp.put_policy(id=key, key_policy_put_body=rotation, policy="rotation"))
    api.GetKeyPoliciesOneOfGetKeyPolicyRotation.from_dict(put)
    refused(
        400, "BODY_QUERY_PARAM_MISMATCH_ERR", kp.put_policy, id=key, key_policy_put_body=rotation, policy="dualAuthDelete"
    )
    refused(409, "NOT_DUAL_AUTH_ERR", kp.set_key_for_deletion, id=key)
    dual = collection(POLICY_TYPE, {"type": POLICY_TYPE, "dualAuthDelete": {"enabled": True}})
    kp.put_policy(id=key, key_policy_put_body=dual, policy="dualAuthDelete")
    assert len(content(kp.get_policy(id=key))["resources"]) == 2
    only = one(kp.get_policy(id=key, policy="rotation"))
    assert only["rotation"]["interval_month"] == 3 and "dualAuthDelete" not in only

    refused(409, "AUTHORIZATIONS_NOT_MET", kp.delete_key, id=key)
    assert kp.set_key_for_deletion(id=key).get_status_code() == 204
    refused(409, "AUTHORIZATIONS_NOT_MET", kp.delete_key, id=key)
    assert one(kp.get_key_metadata(id=key))["dualAuthDelete"]["keySetForDeletion"] is True
    assert kp.unset_key_for_deletion(id=key).get_status_code() == 204
    refused(409, "AUTHORIZATIONS_NOT_MET", second.delete_key, id=key)
    kp.set_key_for_deletion(id=key)
    assert second.delete_key(id=key).get_status_code() == 204

    def for_instance(kind, enabled, attributes=None):
        data = {"enabled": enabled, **({"attributes": attributes} if attributes else {})}
        resource = collection(POLICY_TYPE, {"policy_type": kind, "policy_data": data})
        response = kp.put_instance_policy(instance_policy_put_body=resource, policy=kind)
        assert response.get_status_code() == 204

    for_instance("keyCreateImportAccess", True, {"create_root_key": False})
    refused(409, "KEY_CREATE_IMPORT_ACCESS_ERR", kp.create_key, key_create_body=new_key("not allowed"))
    for_instance("keyCreateImportAccess", False)
    for_instance("dualAuthDelete", True)
    assert one(kp.create_key(key_create_body=new_key("by policy")))["dualAuthDelete"]["enabled"] is True
    for_instance("dualAuthDelete", False)
    for_instance("allowedIP", True, {"allowed_ip": ["10.0.0.0/8"]})
    assert one(kp.get_instance_policy(policy="allowedIP"))["policy_data"]["attributes"]["allowed_ip"] == ["10.0.0.0/8"]
    assert len(content(kp.get_instance_policy())["resources"]) == 3
    assert one(kp.get_allowed_ip_port())["private_endpoint_port"] > 0


def registrations():
    key = one(kp.create_key(key_create_body=new_key("protects")))["id"]
    crn = f"crn:v1:bluemix:public:databases:eu-de:a/1:{uuid.uuid4()}:volume:9"
    control("POST", f"keys/{key}/registrations", {"resource_crn": crn, "description": "a disk"})
    listed = content(kp.get_registrations(id=key, total_count=True))
    assert listed["metadata"]["totalCount"] == 1
    resource = api.RegistrationWithTotalCount.from_dict(listed).resources[0]
    assert resource.key_id == key and resource.resource_crn == crn and resource.prevent_key_deletion is False
    query = crn.removesuffix("volume:9") + "*:*"
    assert len(content(kp.get_registrations_all_keys(url_encoded_resource_crn_query=query))["resources"]) == 1
    assert content(kp.get_registrations_all_keys(prevent_key_deletion=True))["resources"] == []
    refused(409, "PROTECTED_RESOURCE_ERR", kp.delete_key, id=key)
    assert kp.delete_key(id=key, force=True).get_status_code() == 204
    key = one(kp.create_key(key_create_body=new_key("retains")))["id"]
    control("POST", f"keys/{key}/registrations", {"resource_crn": crn, "prevent_key_deletion": True})
    refused(409, "PREV_KEY_DEL_ERR", kp.delete_key, id=key, force=True)


def rings_and_aliases():
    assert kp.create_key_ring(key_ring_id="ring-1").get_status_code() == 201
    rings = content(kp.list_key_rings(total_count=True))
    assert rings["metadata"]["totalCount"] == 2 and [ring["id"] for ring in rings["resources"]] == ["default", "ring-1"]
    api.ListKeyRingsWithTotalCount.from_dict(rings)
    key = one(kp.create_key(key_create_body=new_key("in a ring"), x_kms_key_ring="ring-1"))
    assert key["keyRingID"] == "ring-1"
    key = key["id"]
    refused(404, "KEY_NOT_FOUND_ERR", kp.get_key, id=key, x_kms_key_ring="default")
    refused(404, "KEY_RING_NOT_FOUND_ERR", kp.get_key, id=key, x_kms_key_ring="ring-2")
    assert [found["id"] for found in content(kp.get_keys(x_kms_key_ring="ring-1"))["resources"]] == [key]
    refused(409, "KEY_RING_NOT_EMPTY_ERR", kp.delete_key_ring, key_ring_id="ring-1")

    alias = kp.create_key_alias(id=key, alias="its-name")
    assert alias.get_status_code() == 201
    assert api.KeyAlias.from_dict(content(alias)).resources[0].key_id == key
    assert one(kp.get_key(id="its-name"))["id"] == key
    refused(409, "KEY_ALIAS_NOT_UNIQUE_ERR", kp.create_key_alias, id=key, alias="its-name")
    refused(400, "INVALID_FIELD_ERR", kp.create_key_alias, id=key, alias="rotate")
    assert kp.delete_key_alias(id=key, alias="its-name").get_status_code() == 204
    refused(404, "KEY_NOT_FOUND_ERR", kp.get_key, id="its-name")

    moved = kp.patch_key(id=key, key_patch_body=body({"keyRingID": "default"}), x_kms_key_ring="ring-1")
    assert api.PatchKeyResponseBody.from_dict(content(moved)).resources[0].key_ring_id == "default"
    assert kp.delete_key_ring(key_ring_id="ring-1", force=False).get_status_code() == 204


def roles():
    reader, plus, writer = (Client(facts[f"{role}_api_key_file"]) for role in ("reader", "reader_plus", "writer"))
    key = one(writer.create_key(key_create_body=new_key("a writer's", True)))["id"]
    assert one(reader.get_key_metadata(id=key))["id"] == key
    refused(403, "UNAUTHORIZED_ERR", reader.get_key, id=key)
    assert one(plus.get_key(id=key))["payload"]
    refused(403, "UNAUTHORIZED_ERR", plus.create_key, key_create_body=new_key("a reader's"))
    refused(403, "UNAUTHORIZED_ERR", writer.delete_key, id=key)
    root = one(writer.create_key(key_create_body=new_key("a writer's root key")))["id"]
    assert content(reader.wrap_key(id=root))["plaintext"]
    refused(403, "UNAUTHORIZED_ERR", reader.rotate_key, id=root)
    control("DELETE", "tokens")
    refused(401, "UNAUTHORIZED_ERR", kp.get_keys)


def expiry():
    """Days pass on the stand-in's clock alone."""
    tomorrow = datetime.now(timezone.utc) + timedelta(days=1)
    key = one(kp.create_key(key_create_body=new_key("expires", expirationDate=tomorrow.isoformat())))["id"]
    ciphertext = content(kp.wrap_key(id=key))["ciphertext"]
    control("PUT", "tokens", {"lifetime_seconds": 90 * 24 * 3600})
    late = Client(facts["api_key_file"])
    late.get_key(id=key)
    control("PUT", "clock", {"ahead_seconds": 2 * 24 * 3600})
    assert one(late.get_key_metadata(id=key))["state"] == 3
    refused(400, "KEY_EXPIRED_ERR", late.wrap_key, id=key)
    late.rotate_key(id=key)
    opened = content(late.unwrap_key(id=key, key_action_unwrap_body=body({"ciphertext": ciphertext})))
    assert opened["plaintext"] and opened["rewrappedKeyVersion"]
    refused(409, "KEY_ACTION_INVALID_STATE_ERR", late.enable_key, id=key)
    late.delete_key(id=key)
    control("PUT", "clock", {"ahead_seconds": 40 * 24 * 3600})
    assert one(late.get_key_metadata(id=key))["restoreAllowed"] is False
    refused(400, "KEY_RESTORE_EXPIRED", late.restore_key, id=key)
    refused(401, "UNAUTHORIZED_ERR", kp.get_keys)


kp = Client(facts["api_key_file"])
second = Client(facts["second_api_key_file"])
root, standard = keys()
lists(root, standard)
actions(root)
states(root)
imported()
policies()
registrations()
rings_and_aliases()
roles()
kp = Client(facts["api_key_file"])
expiry()

client = api.IbmKeyProtectApiV2
methods = {name for name in vars(client) if not name.startswith("_") and callable(getattr(client, name))}
forgotten = methods - driven - NOT_SERVED.keys()
assert not forgotten, f"neither driven nor listed as not served: {sorted(forgotten)}"
assert not driven & NOT_SERVED.keys(), "driven, and yet listed as not served"
assert NOT_SERVED.keys() <= methods, "listed as not served, and not there"
print(f"{len(driven)} calls driven, {len(NOT_SERVED)} methods not served")
