"""PyKMIP's client takes a key through its life, once in each version of the protocol.

Environment: CLAVIGER_KMIP (host:port), CLAVIGER_CLIENT_CERT, CLAVIGER_CLIENT_KEY, CLAVIGER_CA.
Prints one line a version; any exception ends it with a traceback.
"""

import hashlib
import hmac
import os

from kmip import enums
from kmip.core import objects, primitives
from kmip.core.exceptions import OperationFailure
from kmip.core.factories.attributes import AttributeFactory
from kmip.pie.client import ProxyKmipClient
from kmip.pie.exceptions import KmipOperationFailure
from kmip.pie.objects import OpaqueObject, SecretData, SymmetricKey

VERSIONS = {
    "1.0": enums.KMIPVersion.KMIP_1_0,
    "1.1": enums.KMIPVersion.KMIP_1_1,
    "1.2": enums.KMIPVersion.KMIP_1_2,
    "1.3": enums.KMIPVersion.KMIP_1_3,
    "1.4": enums.KMIPVersion.KMIP_1_4,
    "2.0": enums.KMIPVersion.KMIP_2_0,
}


def client(version):
    host, port = os.environ["CLAVIGER_KMIP"].rsplit(":", 1)
    return ProxyKmipClient(
        hostname=host,
        port=int(port),
        cert=os.environ["CLAVIGER_CLIENT_CERT"],
        key=os.environ["CLAVIGER_CLIENT_KEY"],
        ca=os.environ["CLAVIGER_CA"],
        config_file=os.devnull,
        kmip_version=version,
    )


def must_fail(reason, function, *arguments, **named):
    try:
        function(*arguments, **named)
    except (KmipOperationFailure, OperationFailure) as failure:
        assert failure.reason == reason, f"expected {reason}, got {failure.reason}: {failure}"
        return
    raise AssertionError(f"{function} should have failed with {reason}")


def attributes_of(kmip, identifier):
    # Named, because PyKMIP reads a Digest as 1.1 has it also where the version is 1.0.
    _, found = kmip.get_attributes(identifier, ["State", "Cryptographic Length"])
    return {attribute.attribute_name.value: attribute.attribute_value for attribute in found}


def can_do(kmip, version):
    """What the server says of itself, and that it says it in the client's version."""
    told = kmip.proxy.query(query_functions=[
        enums.QueryFunction.QUERY_OPERATIONS,
        enums.QueryFunction.QUERY_OBJECTS,
        enums.QueryFunction.QUERY_SERVER_INFORMATION,
    ])
    operations = told.operations
    assert enums.Operation.CREATE in operations and enums.Operation.QUERY in operations
    assert (enums.Operation.SET_ATTRIBUTE in operations) == (version == enums.KMIPVersion.KMIP_2_0)
    assert enums.ObjectType.SYMMETRIC_KEY in told.object_types
    assert told.vendor_identification == "Claviger"
    if version != enums.KMIPVersion.KMIP_1_0:
        versions = kmip.proxy.discover_versions().protocol_versions
        assert any((found.major, found.minor) == (2, 0) for found in versions), versions


def attributes_of_2_0(kmip, identifier):
    """Set, changed and taken away as 2.0 does it."""
    kmip.set_attribute(identifier, attribute_name="Sensitive", attribute_value=True)
    _, found = kmip.get_attributes(identifier, ["Sensitive"])
    assert [attribute.attribute_value.value for attribute in found] == [True]
    kmip.modify_attribute(
        identifier,
        new_attribute=objects.NewAttribute(attribute=primitives.Boolean(False, tag=enums.Tags.SENSITIVE)),
    )
    _, found = kmip.get_attributes(identifier, ["Sensitive"])
    assert [attribute.attribute_value.value for attribute in found] == [False]
    group = primitives.TextString("group", tag=enums.Tags.OBJECT_GROUP)
    kmip.set_attribute(identifier, attribute_name="Object Group", attribute_value="group")
    kmip.delete_attribute(identifier, current_attribute=objects.CurrentAttribute(attribute=group))
    assert "Object Group" not in kmip.get_attribute_list(identifier)
    must_fail(
        enums.ResultReason.READ_ONLY_ATTRIBUTE,
        kmip.set_attribute,
        identifier,
        attribute_name="Cryptographic Length",
        attribute_value=128,
    )


def other_objects(kmip, label):
    """Secret data and opaque objects."""
    secret = SecretData(b"open sesame", enums.SecretDataType.PASSWORD, name=f"pykmip {label} secret")
    identifier = kmip.register(secret)
    assert kmip.get(identifier).value == b"open sesame"
    kmip.destroy(identifier)
    opaque = OpaqueObject(b"anything", enums.OpaqueDataType.NONE, name=f"pykmip {label} opaque")
    identifier = kmip.register(opaque)
    assert kmip.get(identifier).value == b"anything"
    kmip.destroy(identifier)


def replaced_and_checked(kmip, label):
    """Check and Re-key."""
    mask = [enums.CryptographicUsageMask.ENCRYPT]
    old = kmip.create(enums.CryptographicAlgorithm.AES, 256, name=f"pykmip {label} old", cryptographic_usage_mask=mask)
    assert kmip.check(old, cryptographic_usage_mask=mask) == old
    new = kmip.rekey(old)
    assert new != old and kmip.get(new).value != kmip.get(old).value
    for identifier in (old, new):
        kmip.destroy(identifier)


def derived(kmip):
    """Derive Key by encryption, which the device does."""
    base = kmip.create(
        enums.CryptographicAlgorithm.AES, 256, cryptographic_usage_mask=[enums.CryptographicUsageMask.DERIVE_KEY]
    )
    kmip.activate(base)
    key = kmip.derive_key(
        enums.ObjectType.SYMMETRIC_KEY,
        [base],
        enums.DerivationMethod.ENCRYPT,
        {
            "cryptographic_parameters": {
                "block_cipher_mode": enums.BlockCipherMode.CBC,
                "padding_method": enums.PaddingMethod.NONE,
                "cryptographic_algorithm": enums.CryptographicAlgorithm.AES,
            },
            "initialization_vector": bytes(16),
            "derivation_data": bytes(range(32)),
        },
        cryptographic_length=128,
        cryptographic_algorithm=enums.CryptographicAlgorithm.AES,
    )
    assert len(kmip.get(key).value) == 16


def used(kmip):
    """Encrypt, Decrypt and MAC, which came with 1.2."""
    key = kmip.create(
        enums.CryptographicAlgorithm.AES,
        256,
        cryptographic_usage_mask=[enums.CryptographicUsageMask.ENCRYPT, enums.CryptographicUsageMask.DECRYPT],
    )
    kmip.activate(key)
    parameters = {
        "block_cipher_mode": enums.BlockCipherMode.CBC,
        "padding_method": enums.PaddingMethod.PKCS5,
        "cryptographic_algorithm": enums.CryptographicAlgorithm.AES,
    }
    vector = bytes(range(16))
    hidden, _ = kmip.encrypt(b"a message", key, cryptographic_parameters=parameters, iv_counter_nonce=vector)
    assert b"message" not in hidden and len(hidden) == 16
    assert kmip.decrypt(hidden, key, cryptographic_parameters=parameters, iv_counter_nonce=vector) == b"a message"
    code_key = kmip.create(
        enums.CryptographicAlgorithm.HMAC_SHA256,
        256,
        cryptographic_usage_mask=[enums.CryptographicUsageMask.MAC_GENERATE],
    )
    kmip.activate(code_key)
    _, code = kmip.mac(b"a message", code_key, enums.CryptographicAlgorithm.HMAC_SHA256)
    value = kmip.get(code_key).value
    assert code == hmac.new(value, b"a message", hashlib.sha256).digest()


def life(label, version):
    name = f"pykmip {label}"
    in_2_0 = version == enums.KMIPVersion.KMIP_2_0
    in_use = enums.ResultReason.WRONG_KEY_LIFECYCLE_STATE if in_2_0 else enums.ResultReason.PERMISSION_DENIED
    absent = enums.ResultReason.OBJECT_NOT_FOUND if in_2_0 else enums.ResultReason.ITEM_NOT_FOUND
    mask = [enums.CryptographicUsageMask.ENCRYPT, enums.CryptographicUsageMask.DECRYPT]
    with client(version) as kmip:
        made = kmip.create(enums.CryptographicAlgorithm.AES, 256, name=name, cryptographic_usage_mask=mask)

        key = kmip.get(made)
        assert key.cryptographic_algorithm == enums.CryptographicAlgorithm.AES
        assert key.cryptographic_length == 256 and len(key.value) == 32
        assert kmip.get(made).value == key.value, "a second Get hands out the same bytes"

        names = kmip.get_attribute_list(made)
        for needed in ("Unique Identifier", "Object Type", "Cryptographic Algorithm", "State", "Name"):
            assert needed in names, f"{needed} is missing in {names}"
        attributes = attributes_of(kmip, made)
        assert attributes["State"].value == enums.State.PRE_ACTIVE
        assert attributes["Cryptographic Length"].value == 256

        by_name = AttributeFactory().create_attribute(enums.AttributeType.NAME, name)
        assert kmip.locate(attributes=[by_name]) == [made]

        can_do(kmip, version)
        if in_2_0:
            attributes_of_2_0(kmip, made)

        other_objects(kmip, label)
        if not in_2_0:
            # In 2.0 PyKMIP sends the Template-Attribute of 1.x.
            replaced_and_checked(kmip, label)
        derived(kmip)
        if version not in (enums.KMIPVersion.KMIP_1_0, enums.KMIPVersion.KMIP_1_1):
            used(kmip)

        # A key in use is not destroyed.
        kmip.activate(made)
        assert attributes_of(kmip, made)["State"].value == enums.State.ACTIVE
        must_fail(in_use, kmip.destroy, made)

        kmip.revoke(enums.RevocationReasonCode.CESSATION_OF_OPERATION, made, "no longer used")
        assert attributes_of(kmip, made)["State"].value == enums.State.DEACTIVATED
        kmip.destroy(made)
        must_fail(absent, kmip.get, "00000000-0000-4000-8000-000000000000")

        material = bytes(range(16))
        registered = kmip.register(
            SymmetricKey(enums.CryptographicAlgorithm.AES, 128, material, mask, f"{name} registered")
        )
        assert kmip.get(registered).value == material, "what was registered comes back"
        kmip.revoke(enums.RevocationReasonCode.KEY_COMPROMISE, registered, "seen in a log", 1)
        assert attributes_of(kmip, registered)["State"].value == enums.State.COMPROMISED
        kmip.destroy(registered)
    print(f"{label} ok", flush=True)


if __name__ == "__main__":
    for label, version in VERSIONS.items():
        life(label, version)
