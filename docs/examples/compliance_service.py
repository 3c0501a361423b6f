#!/usr/bin/python3
"""A compliance service for Hourglass, to start your own from: docs/compliance-services.md.

Decides by a JSON file that some device management writes: {"contoso": {"laptop-1": {"encrypted": true}}}.
Needs python3-grpcio and python3-protobuf, and beside it what protoc makes of the contract:

    protoc -I proto --python_out=. --grpc_out=. --plugin=protoc-gen-grpc=/usr/bin/grpc_python_plugin \\
        proto/hourglass/v1/compliance.proto proto/hourglass/v1/error.proto
"""
import argparse
import json
import signal
import sys
import uuid
from concurrent import futures

import grpc

from hourglass.v1 import compliance_pb2, compliance_pb2_grpc, error_pb2

REMEDIATION = "https://help.contoso.example/encrypt"
POLICY_VERSION = "disk-encryption-1"


def reasons_against(devices, question):
    """Why this device may not connect now; empty where it may. What is not known is a reason."""
    device = devices.get(question.tenant_id, {}).get(question.device_id)
    if device is None:
        return [("device", "nothing is known of this device", "")]
    if device.get("encrypted") is not True:
        return [("disk_encryption.enabled", "disk encryption is not known to be on", REMEDIATION)]
    return []


class ComplianceService(compliance_pb2_grpc.ComplianceServiceServicer):
    def __init__(self, devices_file, callers):
        self.devices_file = devices_file
        self.callers = callers

    def Evaluate(self, question, context):
        # TLS has verified the caller's certificate; who may ask is for us to say.
        names = context.auth_context().get("x509_subject_alternative_name", [])
        if not self.callers.intersection(name.decode() for name in names):
            context.abort(grpc.StatusCode.PERMISSION_DENIED, "this caller may not ask")
        if not 16 <= len(question.nonce) <= 64 or not question.tenant_id or not question.device_id:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "tenant_id, device_id and nonce are required")
        # Read for each question: a verdict is of now, and nothing is remembered. What goes wrong
        # here ends the call with an error, and so nothing is issued.
        with open(self.devices_file, encoding="utf-8") as file:
            devices = json.load(file)
        verdict = compliance_pb2.Verdict(
            verdict_id=str(uuid.uuid4()),
            policy_version=POLICY_VERSION,
            # The question, octet for octet: the verdict is for this and nothing else.
            nonce=question.nonce,
            tenant_id=question.tenant_id,
            user_id=question.user_id,
            user_upn=question.user_upn,
            device_id=question.device_id,
            public_key_sha256=question.public_key_sha256,
        )
        verdict.evaluated_at.GetCurrentTime()
        reasons = reasons_against(devices, question)
        for setting, message, url in reasons:
            verdict.deny.reasons.append(
                error_pb2.DenyReason(setting=setting, message=message, remediation_url=url))
        if not reasons:
            verdict.allow.SetInParent()
        return verdict


def read(path):
    with open(path, "rb") as file:
        return file.read()


def main():
    options = argparse.ArgumentParser(description="A compliance service for Hourglass.")
    options.add_argument("--listen", required=True, help="HOST:PORT; port 0 takes a free one")
    options.add_argument("--certificate", required=True, help="own chain, PEM")
    options.add_argument("--private-key", required=True)
    options.add_argument("--trusted-roots", required=True, help="of the callers' certificates, PEM")
    options.add_argument("--caller", action="append", required=True,
                         help="URI or DNS name in the certificate of a hourglassd; may be repeated")
    options.add_argument("--devices", required=True, help="JSON file")
    given = options.parse_args()
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=8))
    compliance_pb2_grpc.add_ComplianceServiceServicer_to_server(
        ComplianceService(given.devices, frozenset(given.caller)), server)
    credentials = grpc.ssl_server_credentials(
        [(read(given.private_key), read(given.certificate))],
        root_certificates=read(given.trusted_roots), require_client_auth=True)
    port = server.add_secure_port(given.listen, credentials)
    server.start()
    print(f"listening on port {port}", flush=True)
    signal.signal(signal.SIGTERM, lambda *_: server.stop(grace=10))
    server.wait_for_termination()


if __name__ == "__main__":
    sys.exit(main())
