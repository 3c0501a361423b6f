#!/bin/sh
# check-trust-bundle.sh TRUSTED.pem DOCUMENT SIGNATURES: exit code 0 if a root in TRUSTED.pem has signed the trust bundle DOCUMENT.
# SIGNATURES is a folder: each file is a signature, named by the SHA-256 of its root's certificate in small hexadecimal digits.
set -eu
[ "$(head -n 1 "$2")" = 'Hourglass trust bundle 1' ] || { echo "$2: is no trust bundle" >&2; exit 1; }
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; signer=
awk -v work="$work" '/^-----BEGIN CERTIFICATE-----/ { n++; inside = 1 } inside { print > (work "/" n ".pem") } /^-----END/ { inside = 0 }' "$1"
for root in "$work"/*.pem; do
  sha256=$(openssl x509 -in "$root" -outform DER | openssl dgst -sha256 -r | cut -c 1-64)
  [ -f "$3/$sha256" ] || continue
  openssl x509 -in "$root" -noout -pubkey >"$work/key"
  hash=sha256; if openssl pkey -pubin -in "$work/key" -noout -text | grep -q 'NIST CURVE: P-384'; then hash=sha384; fi
  openssl dgst "-$hash" -verify "$work/key" -signature "$3/$sha256" "$2" >/dev/null || { echo "$2: the signature by $sha256 is wrong" >&2; exit 1; }
  signer=$sha256
done
[ -n "$signer" ] || { echo "$2: is signed by no root of $1" >&2; exit 1; }
echo "$2: signed by $signer, $(sed -n 's/^tenant //p;/^tenant /q' "$2") $(sed -n '/^version /{p;q;}' "$2")"
