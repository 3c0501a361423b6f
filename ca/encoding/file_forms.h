// What a file of unknown making holds: the forms that editors, mail programs and other systems give
// to PEM and base64.
#ifndef HOURGLASS_CA_ENCODING_FILE_FORMS_H_
#define HOURGLASS_CA_ENCODING_FILE_FORMS_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hourglass::ca {

// The octets as UTF-8 text with lines that end in LF, where they are text in one of these forms;
// all others come back as they are:
// - UTF-16 of either byte order, told by its byte order mark or by the NULs of its ASCII;
// - UTF-8 with a byte order mark, which is taken away;
// - lines that end in CR LF or CR;
// - PEM in one line whose ends are written as the two characters `\n` (or four, `\r\n`).
std::string AsText(absl::string_view octets);

// What the file holds, for a sentence such as "FILE holds …": `a certificate`, `2 certificate
// requests`, `a private key`, `nothing`, `octets of no known form`.
std::string WhatItHolds(absl::string_view octets);

// DER of the one PKCS#10 request in a file: DER itself, PEM with any headers and line ends in one
// of the forms of AsText, or bare base64. Errors: FIELD_INVALID without a field, with what the file
// holds instead: no request, more than one, or octets behind it.
absl::StatusOr<std::string> SoleRequest(absl::string_view octets);

// The hexadecimal digits of a serial number or fingerprint as it is pasted from a certificate
// viewer: without `0x`, a name and `=` or `:` before it (`serial=`, `SHA256 Fingerprint=`,
// `sha256:`), white space, colons, hyphens, and the invisible characters that copying brings along
// (U+200E and its like, U+FEFF, U+00A0). In small letters; empty where anything else is in it.
std::string PastedHexadecimal(absl::string_view text);

// Of a text that PastedHexadecimal gives the wrong number of digits for, what it seems to be, to
// end a sentence: `it has 40, as a SHA-1 fingerprint`, `it is no hexadecimal number`.
std::string WhatWasPasted(absl::string_view text);

}  // namespace hourglass::ca

#endif  // HOURGLASS_CA_ENCODING_FILE_FORMS_H_
