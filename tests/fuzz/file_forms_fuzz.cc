// Whatever a file holds, its reader comes back; and what was written in one of the known forms is
// read as it was written.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "ca/encoding/file_forms.h"
#include "ca/encoding/pem.h"
#include "ca/encoding/utf8.h"

namespace hourglass::ca {
namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

std::string InUtf16(absl::string_view ascii, bool big_endian) {
  std::string octets;
  for (const char c : ascii) {
    if (big_endian) octets += '\0';
    octets += c;
    if (!big_endian) octets += '\0';
  }
  return octets;
}

void CheckForms(absl::string_view body) {
  const std::string pem = EncodePem(kRequestLabel, body);
  for (const std::string& form :
       {pem, absl::StrReplaceAll(pem, {{"\n", "\r\n"}}), absl::StrReplaceAll(pem, {{"\n", "\r"}}),
        absl::StrReplaceAll(pem, {{"\n", "\\n"}}), "\xEF\xBB\xBF" + pem, InUtf16(pem, false),
        InUtf16(pem, true), "\xFF\xFE" + InUtf16(pem, false)}) {
    const absl::StatusOr<std::string> request = SoleRequest(form);
    Require(request.ok() && *request == body);
  }
  Require(PastedHexadecimal(absl::BytesToHexString(body)) == absl::BytesToHexString(body));
}

void CheckAnything(absl::string_view octets) {
  const std::string text = AsText(octets);
  // What was no text before stays as it is; what was UTF-16 becomes UTF-8.
  if (DecodeUtf8(octets).has_value()) Require(DecodeUtf8(text).has_value());
  Require(!WhatItHolds(octets).empty());
  const std::string digits = PastedHexadecimal(octets);
  Require(digits.find_first_not_of("0123456789abcdef") == std::string::npos);
  static_cast<void>(SoleRequest(octets));
}

}  // namespace
}  // namespace hourglass::ca

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const absl::string_view input(reinterpret_cast<const char*>(data), size);
  hourglass::ca::CheckAnything(input);
  if (size > 0) hourglass::ca::CheckForms(input);
  return 0;
}
