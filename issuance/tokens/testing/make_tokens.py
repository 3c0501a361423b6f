"""Tokens of PyJWT (Debian's python3-jwt): reads {"claims": {...}} from standard input, and writes
{"keys": [...], "tokens": {"RS256": "...", ...}} with keys of its own."""

import base64
import json
import sys

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa


def number(value, size=0):
    size = size or (value.bit_length() + 7) // 8
    return base64.urlsafe_b64encode(value.to_bytes(size, "big")).rstrip(b"=").decode()


def main():
    claims = json.load(sys.stdin)["claims"]
    keys, tokens = [], {}
    for algorithm in ("RS256", "PS256", "ES256"):
        kid = "pyjwt-" + algorithm
        if algorithm == "ES256":
            private = ec.generate_private_key(ec.SECP256R1())
            public = private.public_key().public_numbers()
            jwk = {"kty": "EC", "crv": "P-256", "x": number(public.x, 32), "y": number(public.y, 32)}
        else:
            private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
            public = private.public_key().public_numbers()
            jwk = {"kty": "RSA", "n": number(public.n), "e": number(public.e)}
        keys.append({**jwk, "kid": kid, "alg": algorithm, "use": "sig"})
        tokens[algorithm] = jwt.encode(claims, private, algorithm=algorithm, headers={"kid": kid})
    json.dump({"keys": keys, "tokens": tokens}, sys.stdout)


main()
