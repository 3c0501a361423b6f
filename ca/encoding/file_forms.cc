#include "ca/encoding/file_forms.h"

#include <openssl/pkcs12.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "ca/encoding/pem.h"
#include "hsm/base/error.h"
#include "hsm/base/openssl.h"
#include "hsm/base/status_macros.h"

namespace hourglass::ca {
namespace {

constexpr absl::string_view kBegin = "-----BEGIN ";

absl::Status Invalid(absl::string_view message) {
  return Error(ErrorReason::kFieldInvalid, "", message);
}

void AppendUtf8(char32_t code_point, std::string* text) {
  const auto octet = [text](char32_t value) { text->push_back(static_cast<char>(value)); };
  if (code_point < 0x80) return octet(code_point);
  if (code_point < 0x800) {
    octet(0xC0 | code_point >> 6);
  } else if (code_point < 0x10000) {
    octet(0xE0 | code_point >> 12);
    octet(0x80 | (code_point >> 6 & 0x3F));
  } else {
    octet(0xF0 | code_point >> 18);
    octet(0x80 | (code_point >> 12 & 0x3F));
    octet(0x80 | (code_point >> 6 & 0x3F));
  }
  octet(0x80 | (code_point & 0x3F));
}

enum class ByteOrder { kLittle, kBig };

// PEM, base64 and JSON begin with ASCII, of which UTF-16 has one NUL in each unit.
std::optional<ByteOrder> Utf16Order(absl::string_view octets) {
  if (octets.size() < 2 || octets.size() % 2 != 0) return std::nullopt;
  if (absl::StartsWith(octets, "\xFF\xFE")) return ByteOrder::kLittle;
  if (absl::StartsWith(octets, "\xFE\xFF")) return ByteOrder::kBig;
  const bool first_is_nul = octets[0] == '\0', second_is_nul = octets[1] == '\0';
  if (first_is_nul == second_is_nul) return std::nullopt;
  for (std::size_t i = 0; i < std::min<std::size_t>(octets.size(), 16); i += 2) {
    if ((octets[i] == '\0') != first_is_nul || (octets[i + 1] == '\0') != second_is_nul) {
      return std::nullopt;
    }
  }
  return first_is_nul ? ByteOrder::kBig : ByteOrder::kLittle;
}

// Nothing where a surrogate stands alone (Unicode 15, section 3.9, D91).
std::optional<std::string> FromUtf16(absl::string_view octets, ByteOrder order) {
  std::string text;
  char32_t high = 0;
  for (std::size_t i = 0; i + 1 < octets.size(); i += 2) {
    const auto low_octet =
        static_cast<std::uint8_t>(octets[order == ByteOrder::kLittle ? i : i + 1]);
    const auto high_octet =
        static_cast<std::uint8_t>(octets[order == ByteOrder::kLittle ? i + 1 : i]);
    const char32_t unit = static_cast<char32_t>(high_octet << 8 | low_octet);
    const bool is_high = unit >= 0xD800 && unit < 0xDC00;
    const bool is_low = unit >= 0xDC00 && unit < 0xE000;
    if (is_low != (high != 0)) return std::nullopt;
    if (is_high) {
      high = unit;
    } else if (is_low) {
      AppendUtf8(0x10000 + ((high - 0xD800) << 10) + (unit - 0xDC00), &text);
      high = 0;
    } else {
      AppendUtf8(unit, &text);
    }
  }
  if (high != 0) return std::nullopt;
  return text;
}

// Of `kind` as WhatItHolds names it.
std::string KindOfLabel(absl::string_view label) {
  if (label == kRequestLabel || label == kOldRequestLabel) return "certificate request";
  if (label == kCertificateLabel || label == "X509 CERTIFICATE") return "certificate";
  if (label == "TRUSTED CERTIFICATE") return "certificate in OpenSSL's own form";
  if (label == "ENCRYPTED PRIVATE KEY") return "encrypted private key";
  if (absl::EndsWith(label, "PRIVATE KEY")) return "private key";
  if (absl::EndsWith(label, "PUBLIC KEY")) return "public key";
  if (label == "X509 CRL") return "certificate revocation list";
  if (label == "PKCS7" || label == "CMS") return "PKCS#7 message";
  return absl::StrCat("PEM block `", label, "`");
}

template <typename Pointer, typename Decode>
bool IsDerOf(Decode decode, absl::string_view octets) {
  const auto* next = reinterpret_cast<const unsigned char*>(octets.data());
  const auto* const end = next + octets.size();
  const Pointer object(decode(nullptr, &next, static_cast<long>(octets.size())));
  DrainOpensslErrors();
  return object != nullptr && next == end;
}

using Pkcs7Ptr = OpensslPtr<PKCS7, PKCS7_free>;
using Pkcs12Ptr = OpensslPtr<PKCS12, PKCS12_free>;

std::optional<std::string> KindOfDer(absl::string_view octets) {
  if (IsDerOf<X509ReqPtr>(d2i_X509_REQ, octets)) return "certificate request";
  if (IsDerOf<X509Ptr>(d2i_X509, octets)) return "certificate";
  if (IsDerOf<Pkcs12Ptr>(d2i_PKCS12, octets)) return "PKCS#12 file";
  // What certreq writes where it is told to make a CMC request.
  if (IsDerOf<Pkcs7Ptr>(d2i_PKCS7, octets)) return "PKCS#7 message (a CMC request, perhaps)";
  if (IsDerOf<EvpPkeyPtr>(d2i_AutoPrivateKey, octets)) return "private key";
  if (IsDerOf<EvpPkeyPtr>(d2i_PUBKEY, octets)) return "public key";
  return std::nullopt;
}

std::string Counted(const std::string& kind, int count) {
  if (count > 1) return absl::StrCat(count, " ", kind, "s");
  return absl::StrCat(absl::StrContains("aeiou", kind.substr(0, 1)) ? "an " : "a ", kind);
}

// Bare base64 of something, with white space anywhere; nothing where the text is anything else.
std::optional<std::string> FromBareBase64(absl::string_view text) {
  std::string octets;
  if (absl::StripAsciiWhitespace(text).empty() || !absl::Base64Unescape(text, &octets)) {
    return std::nullopt;
  }
  return octets;
}

}  // namespace

std::string AsText(absl::string_view octets) {
  std::string text(octets);
  // DER is no text, and has octets of these values: all that is of interest here is a SEQUENCE.
  if (absl::StartsWith(octets, "\x30")) return text;
  if (const auto order = Utf16Order(octets); order.has_value()) {
    const auto decoded = FromUtf16(octets, *order);
    if (!decoded.has_value()) return text;
    text = *decoded;
  }
  if (absl::StartsWith(text, "\xEF\xBB\xBF")) text.erase(0, 3);
  if (absl::StrContains(text, kBegin) && !absl::StrContains(text, '\n') &&
      !absl::StrContains(text, '\r')) {
    return absl::StrReplaceAll(text, {{"\\r\\n", "\n"}, {"\\n", "\n"}});
  }
  return absl::StrReplaceAll(text, {{"\r\n", "\n"}, {"\r", "\n"}});
}

std::string WhatItHolds(absl::string_view octets) {
  const std::string text = AsText(octets);
  if (absl::StripAsciiWhitespace(text).empty()) return "nothing";
  if (const auto kind = KindOfDer(octets); kind.has_value()) return Counted(*kind, 1) + " in DER";
  if (absl::StrContains(text, kBegin)) {
    const auto blocks = PemBlocks(text);
    if (!blocks.ok()) return absl::StrCat("PEM that is damaged (", blocks.status().message(), ")");
    std::map<std::string, int> kinds;
    for (const PemBlock& block : *blocks) ++kinds[KindOfLabel(block.label)];
    std::vector<std::string> counted;
    for (const auto& [kind, count] : kinds) counted.push_back(Counted(kind, count));
    return absl::StrJoin(counted, " and ");
  }
  if (absl::StartsWith(text, "ssh-") || absl::StartsWith(text, "ecdsa-sha2-")) {
    return "an OpenSSH public key";
  }
  const auto bare = FromBareBase64(text);
  if (bare.has_value()) {
    const auto kind = KindOfDer(*bare);
    if (kind.has_value()) return Counted(*kind, 1) + " in base64 without PEM's lines";
  }
  return "octets of no known form";
}

absl::StatusOr<std::string> SoleRequest(absl::string_view octets) {
  const std::string text = AsText(octets);
  if (absl::StrContains(text, kBegin)) {
    ASSIGN_OR_RETURN(const std::vector<PemBlock> blocks, PemBlocks(text));
    const PemBlock* request = nullptr;
    int requests = 0;
    for (const PemBlock& block : blocks) {
      if (block.label != kRequestLabel && block.label != kOldRequestLabel) continue;
      request = &block;
      ++requests;
    }
    if (requests == 1) return request->octets;
    return Invalid(
        absl::StrCat("one certificate request is wanted, and it holds ", WhatItHolds(octets)));
  }
  if (IsDerOf<X509ReqPtr>(d2i_X509_REQ, octets)) return std::string(octets);
  const auto bare = FromBareBase64(text);
  if (bare.has_value() && IsDerOf<X509ReqPtr>(d2i_X509_REQ, *bare)) return *bare;
  return Invalid(
      absl::StrCat("one certificate request is wanted, and it holds ", WhatItHolds(octets)));
}

std::string PastedHexadecimal(absl::string_view text) {
  std::string digits = absl::StrReplaceAll(text, {{"\xE2\x80\x8E", ""},  // U+200E, U+200F
                                                  {"\xE2\x80\x8F", ""},
                                                  {"\xE2\x80\x8B", ""},  // U+200B
                                                  {"\xE2\x80\xAA", ""},  // U+202A to U+202E
                                                  {"\xE2\x80\xAB", ""},
                                                  {"\xE2\x80\xAC", ""},
                                                  {"\xE2\x80\xAD", ""},
                                                  {"\xE2\x80\xAE", ""},
                                                  {"\xE2\x80\xAF", ""},  // U+202F
                                                  {"\xEF\xBB\xBF", ""},  // U+FEFF
                                                  {"\xC2\xA0", ""},      // U+00A0
                                                  {"-", ""}});
  digits.erase(
      std::remove_if(digits.begin(), digits.end(),
                     [](char c) { return absl::ascii_isspace(static_cast<unsigned char>(c)); }),
      digits.end());
  absl::AsciiStrToLower(&digits);
  for (const absl::string_view name : {"serialnumber", "serial", "sha256fingerprint",
                                       "sha256thumbprint", "fingerprint", "thumbprint", "sha256"}) {
    const absl::string_view rest = digits;
    if (!absl::StartsWith(rest, name) || rest.size() == name.size()) continue;
    const char separator = rest[name.size()];
    if (separator != '=' && separator != ':') continue;
    digits = std::string(rest.substr(name.size() + 1));
    break;
  }
  if (absl::StartsWith(digits, "0x")) digits.erase(0, 2);
  digits = absl::StrReplaceAll(digits, {{":", ""}});
  const bool is_hexadecimal = digits.find_first_not_of("0123456789abcdef") == std::string::npos;
  return is_hexadecimal ? digits : "";
}

std::string WhatWasPasted(absl::string_view text) {
  const std::string digits = PastedHexadecimal(text);
  const std::string letters = absl::StrReplaceAll(absl::AsciiStrToLower(text), {{"-", ""}});
  if (absl::StrContains(letters, "sha1")) return "it is a SHA-1 fingerprint";
  if (absl::StrContains(letters, "md5")) return "it is an MD5 fingerprint";
  if (digits.empty()) return "it is no hexadecimal number";
  constexpr absl::string_view kSerial = ", as a serial number";
  constexpr absl::string_view kSha1 = ", as a SHA-1 fingerprint";
  constexpr absl::string_view kSha256 = ", as a SHA-256 fingerprint";
  const absl::string_view kind = digits.size() == 32   ? kSerial
                                 : digits.size() == 40 ? kSha1
                                 : digits.size() == 64 ? kSha256
                                                       : "";
  return absl::StrCat("it has ", digits.size(), kind);
}

}  // namespace hourglass::ca
