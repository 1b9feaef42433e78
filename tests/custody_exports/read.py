"""Reads what `claviger custody export` wrote with programs that others wrote, and says what they understood.

usage: read.py FOLDER, in which jsonl, csv, cef, rfc5424, ocsf and cadf are.
"""

import csv
import importlib.resources
import json
import sys
from pathlib import Path

import jsonschema
import pycef
from ocsf_json_schema import OcsfJsonSchemaEmbedded
from pycadf import cadftaxonomy, event, host, identifier, reason, resource, timestamp
from syslog_rfc5424_parser import SyslogMessage

folder = Path(sys.argv[1])
records = [json.loads(line) for line in (folder / "jsonl").read_text().splitlines()]
raw = (folder / "jsonl").read_bytes().splitlines()


def lines(name):
    found = (folder / name).read_text().splitlines()
    assert len(found) == len(records), f"{name}: {len(found)} lines for {len(records)} records"
    return zip(records, found)


def read_csv():
    with open(folder / "csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(records)
    for record, row in zip(records, rows):
        assert row["sequence"] == str(record["sequence"])
        assert row["event"] == record["event"] and row["outcome"] == record["outcome"]
        assert row["object"] == record.get("object", {}).get("identifier", "")
        assert row["actor_certificate"] == record["actor"].get("certificate", "")
        assert None not in row, row


def read_cef():
    for record, line in lines("cef"):
        read = pycef.parse(line)
        assert read["DeviceVendor"] == "Claviger" and read["CEFVersion"] == "0", read
        assert read["DeviceEventClassID"] == record["event"]
        assert read["externalId"] == record["id"]
        assert read["Sequence"] == str(record["sequence"])
        assert read["outcome"] == ("success" if record["outcome"] == "success" else "failure")
        if "object" in record:
            assert read["Key"] == record["object"]["identifier"], read
        if "origin" in record:
            assert read["src"] == record["origin"]["address"]


def read_rfc5424():
    for (record, line), exact in zip(lines("rfc5424"), raw):
        read = SyslogMessage.parse(line)
        assert read.facility.name == "logaudit" or read.facility.value == 13, read.facility
        assert read.appname == "claviger" and read.msgid == record["event"]
        assert read.timestamp == record["time"]
        assert read.hostname == record["node"]
        assert read.sd["origin"]["software"] == "claviger"
        assert int(read.sd["meta"]["sequenceId"]) == record["sequence"] + 1
        assert read.sd["timeQuality"]["tzKnown"] == "1"
        assert read.msg.encode() == exact, "the message is the log's own bytes"


def read_ocsf():
    embedded = importlib.resources.files("ocsf_json_schema") / "ocsf" / "1.8.0.json"
    schema = OcsfJsonSchemaEmbedded(json.loads(embedded.read_text()))
    validators = {}
    for (record, line), exact in zip(lines("ocsf"), raw):
        read = json.loads(line)
        uid = read["class_uid"]
        if uid not in validators:
            of_class = schema.get_class_schema(schema.lookup_class_name_from_uid(uid))
            validators[uid] = jsonschema.Draft202012Validator(of_class)
        errors = [f"{list(error.path)}: {error.message}" for error in validators[uid].iter_errors(read)]
        assert not errors, f"{record['event']}: {errors}"
        assert read["raw_data"].encode() == exact
        assert read["metadata"]["sequence"] == record["sequence"]
    assert set(validators) == {6002, 6003}, validators.keys()


def cadf_resource(told):
    known = {name: told[name] for name in ("id", "name", "typeURI")}
    if "host" in told:
        known["host"] = host.Host(address=told["host"]["address"])
    return resource.Resource(**known)


def read_cadf():
    for record, line in lines("cadf"):
        told = json.loads(line)
        assert identifier.is_valid(told["id"]) and told["id"] == record["id"]
        assert timestamp.is_valid(told["eventTime"]), told["eventTime"]
        # Activity Tracker's actions are service.object.action and not of CADF's taxonomy: IBM's documentation of its fields.
        assert told["action"].startswith("claviger.") and told["action"].count(".") == 2
        assert cadftaxonomy.is_valid_outcome(told["outcome"])
        read = event.Event(
            eventType=told["eventType"],
            id=told["id"],
            eventTime=told["eventTime"],
            action=cadftaxonomy.UNKNOWN,
            outcome=told["outcome"],
            initiator=cadf_resource(told["initiator"]),
            target=cadf_resource(told["target"]),
            observer=cadf_resource(told["observer"]),
            severity=told["severity"],
            reason=reason.Reason(
                reasonType=told["reason"]["reasonType"],
                reasonCode=str(told["reason"]["reasonCode"]),
            ),
        )
        assert read.is_valid(), told
        assert told["severity"] in ("normal", "warning", "critical")


for name, read in (
    ("csv", read_csv),
    ("cef", read_cef),
    ("rfc5424", read_rfc5424),
    ("ocsf", read_ocsf),
    ("cadf", read_cadf),
):
    read()
    print(f"{name} ok: {len(records)} records")
