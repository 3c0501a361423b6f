#include "hsm/key/key_uri.h"

#include <p11-kit/pkcs11.h>
#include <p11-kit/uri.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "hsm/key/place_uri.h"
#include "hsm/key/uri_text.h"

namespace hourglass::hsm {
namespace {

constexpr absl::string_view kTokenScheme = "pkcs11:";
constexpr absl::string_view kIdAttribute = ";id=";

struct UriDeleter {
  void operator()(P11KitUri* uri) const { p11_kit_uri_free(uri); }
};
using UriPtr = std::unique_ptr<P11KitUri, UriDeleter>;

// Looks at the text, since p11-kit ends a value at its first NUL: path and source would be others
// than the ones written.
bool QueryHasControlCharacter(absl::string_view query) {
  for (size_t at = query.find('%'); at != absl::string_view::npos; at = query.find('%', at + 1)) {
    const std::string octet = absl::AsciiStrToLower(query.substr(at + 1, 2));
    if (octet[0] == '0' || octet[0] == '1' || octet == "7f") return true;
  }
  return false;
}

absl::StatusOr<UriPtr> Parse(absl::string_view text,
                             const std::vector<absl::string_view>& path_attributes) {
  if (!absl::StartsWith(text, kTokenScheme)) return UriInvalid("does not begin with pkcs11:");
  RETURN_IF_ERROR(CheckUriText(text));
  const absl::string_view body = absl::StripPrefix(text, kTokenScheme);
  const size_t question = std::min(body.find('?'), body.size());
  if (question + 1 == body.size()) return UriInvalid("ends in ?");
  RETURN_IF_ERROR(CheckAttributes(body.substr(0, question), ';', path_attributes));
  RETURN_IF_ERROR(
      CheckAttributes(absl::ClippedSubstr(body, question + 1), '&', {"module-path", "pin-source"}));
  UriPtr uri(p11_kit_uri_new());
  const int result =
      uri == nullptr ? P11_KIT_URI_NO_MEMORY
                     : p11_kit_uri_parse(std::string(text).c_str(), P11_KIT_URI_FOR_ANY, uri.get());
  if (result != P11_KIT_URI_OK) return UriInvalid(p11_kit_uri_message(result));
  if (p11_kit_uri_any_unrecognized(uri.get()))
    return UriInvalid("an attribute's value is too long");
  if (QueryHasControlCharacter(body.substr(question))) {
    return UriInvalid("a value holds a control character");
  }
  return uri;
}

// Token info is padded with spaces (PKCS #11 v2.40 section 3.2). An attribute that the URI leaves
// out is all zeros.
template <size_t kSize>
absl::StatusOr<std::string> Padded(const unsigned char (&field)[kSize]) {
  const absl::string_view raw(reinterpret_cast<const char*>(field), kSize);
  if (raw[0] == '\0') {
    if (raw.find_first_not_of('\0') != absl::string_view::npos) {
      return UriInvalid("a value holds a control character");
    }
    return std::string();
  }
  const std::string value(absl::StripTrailingAsciiWhitespace(raw));
  if (HasControlCharacter(raw)) return UriInvalid("a value holds a control character");
  return value;
}

std::string Attribute(P11KitUri* uri, CK_ATTRIBUTE_TYPE type) {
  const CK_ATTRIBUTE* attribute = p11_kit_uri_get_attribute(uri, type);
  if (attribute == nullptr || attribute->pValue == nullptr) return "";
  return std::string(static_cast<const char*>(attribute->pValue), attribute->ulValueLen);
}

std::string Query(const char* value) { return value == nullptr ? "" : value; }

absl::Status CheckType(P11KitUri* uri) {
  const CK_ATTRIBUTE* type = p11_kit_uri_get_attribute(uri, CKA_CLASS);
  if (type == nullptr) return absl::OkStatus();
  if (type->ulValueLen == sizeof(CK_OBJECT_CLASS) &&
      *static_cast<const CK_OBJECT_CLASS*>(type->pValue) == CKO_PRIVATE_KEY) {
    return absl::OkStatus();
  }
  return UriInvalid("type must be private");
}

absl::StatusOr<TokenKeyUri> ParseTokenKeyUri(absl::string_view text) {
  ASSIGN_OR_RETURN(const UriPtr uri, Parse(text, {"token", "serial", "object", "id", "type"}));
  const CK_TOKEN_INFO* token = p11_kit_uri_get_token_info(uri.get());
  TokenKeyUri key;
  ASSIGN_OR_RETURN(key.token_label, Padded(token->label));
  ASSIGN_OR_RETURN(key.token_serial, Padded(token->serialNumber));
  key.object = Attribute(uri.get(), CKA_LABEL);
  key.id = Attribute(uri.get(), CKA_ID);
  key.module_path = Query(p11_kit_uri_get_module_path(uri.get()));
  key.pin_source = Query(p11_kit_uri_get_pin_source(uri.get()));
  RETURN_IF_ERROR(CheckType(uri.get()));
  if (key.token_label.empty()) return UriInvalid("names no token");
  if (key.object.empty()) return UriInvalid("names no object");
  if (!IsKeyName(key.object)) {
    return UriInvalid("object must be 1 to 128 of A-Z a-z 0-9 . _ - and not begin with a dot");
  }
  if (key.id.size() > 255) return UriInvalid("id is longer than 255 octets");
  return key;
}

absl::StatusOr<KeyUri> ParseScheme(absl::string_view text) {
  if (absl::StartsWith(text, kSoftwareScheme)) return ParseSoftwareUri(text);
  if (absl::StartsWith(text, kTpmScheme)) return ParseTpmUri(text);
  return ParseTokenKeyUri(text);
}

std::string Encode(absl::string_view value) {
  std::string text;
  for (const unsigned char c : value) {
    if (absl::ascii_isalnum(c) || c == '-' || c == '.' || c == '_' || c == '~') {
      text += static_cast<char>(c);
    } else {
      absl::StrAppend(&text, "%", absl::Hex(c, absl::kZeroPad2));
    }
  }
  return text;
}

std::string FormatTokenPath(absl::string_view label, absl::string_view serial) {
  return absl::StrCat(kTokenScheme, "token=", Encode(label),
                      serial.empty() ? "" : ";serial=", Encode(serial));
}

}  // namespace

bool IsKeyName(absl::string_view name) {
  return !name.empty() && name.size() <= 128 && name[0] != '.' &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return absl::ascii_isalnum(c) || c == '.' || c == '_' || c == '-';
         });
}

absl::StatusOr<TokenUri> ParseTokenUri(absl::string_view text) {
  ASSIGN_OR_RETURN(const UriPtr uri, Parse(text, {"token", "serial"}));
  const CK_TOKEN_INFO* info = p11_kit_uri_get_token_info(uri.get());
  TokenUri token;
  ASSIGN_OR_RETURN(token.label, Padded(info->label));
  ASSIGN_OR_RETURN(token.serial, Padded(info->serialNumber));
  token.module_path = Query(p11_kit_uri_get_module_path(uri.get()));
  if (token.label.empty()) return UriInvalid("names no token");
  if (!absl::StartsWith(token.module_path, "/")) {
    return UriInvalid("module-path must be an absolute path");
  }
  ASSIGN_OR_RETURN(token.pin_source, ParsePinSource(Query(p11_kit_uri_get_pin_source(uri.get()))));
  return token;
}

absl::StatusOr<KeyUri> ParseKeyUri(absl::string_view text) {
  absl::StatusOr<KeyUri> key = ParseScheme(text);
  if (!key.ok()) {
    return Error(ErrorReason::kKeyUriInvalid, "key_uri", key.status().message());
  }
  return key;
}

absl::StatusOr<PinSource> ParsePinSource(absl::string_view text) {
  PinSource source;
  const size_t colon = std::min(text.find(':'), text.size());
  const absl::string_view scheme = text.substr(0, colon);
  source.name = std::string(absl::ClippedSubstr(text, colon + 1));
  if (HasControlCharacter(source.name)) return UriInvalid("pin-source holds a control character");
  if (scheme == "file" && absl::StartsWith(source.name, "/")) {
    source.kind = PinSource::Kind::kFile;
  } else if (scheme == "env" && !source.name.empty() && !absl::StrContains(source.name, "=")) {
    source.kind = PinSource::Kind::kEnvironment;
  } else if (scheme == "credential" && IsKeyName(source.name)) {
    source.kind = PinSource::Kind::kCredential;
  } else {
    return UriInvalid("pin-source must be file:ABSOLUTE-PATH, env:NAME or credential:NAME");
  }
  return source;
}

std::string FormatPinSource(const PinSource& source) {
  switch (source.kind) {
    case PinSource::Kind::kFile:
      return absl::StrCat("file:", source.name);
    case PinSource::Kind::kEnvironment:
      return absl::StrCat("env:", source.name);
    case PinSource::Kind::kCredential:
      break;
  }
  return absl::StrCat("credential:", source.name);
}

std::string FormatKeyUri(const KeyUri& uri) {
  if (const auto* software = std::get_if<SoftwareKeyUri>(&uri)) {
    return absl::StrCat(kSoftwareScheme, software->name);
  }
  if (const auto* sealed = std::get_if<SealedKeyUri>(&uri)) {
    return absl::StrCat(kTpmScheme, "sealed=", sealed->name);
  }
  if (const auto* resident = std::get_if<ResidentKeyUri>(&uri)) {
    return absl::StrCat(kTpmScheme, "handle=", FormatHandle(resident->handle));
  }
  const TokenKeyUri& key = std::get<TokenKeyUri>(uri);
  std::string text = absl::StrCat(FormatTokenPath(key.token_label, key.token_serial),
                                  ";object=", Encode(key.object));
  if (!key.id.empty()) absl::StrAppend(&text, kIdAttribute);
  // RFC 7512 section 2.3: every octet of an id should be percent-encoded.
  for (const unsigned char octet : key.id) {
    absl::StrAppend(&text, "%", absl::Hex(octet, absl::kZeroPad2));
  }
  return text;
}

std::string FormatToken(const TokenUri& uri) { return FormatTokenPath(uri.label, uri.serial); }

absl::string_view KeyNameOf(const KeyUri& uri) {
  if (const auto* token = std::get_if<TokenKeyUri>(&uri)) return token->object;
  if (const auto* software = std::get_if<SoftwareKeyUri>(&uri)) return software->name;
  if (const auto* sealed = std::get_if<SealedKeyUri>(&uri)) return sealed->name;
  return "";
}

absl::string_view UriWithoutId(absl::string_view uri) {
  // It is last, and no name holds a semicolon.
  return absl::StartsWith(uri, kTokenScheme) ? uri.substr(0, uri.find(kIdAttribute)) : uri;
}

bool MayNameOneKey(absl::string_view one, absl::string_view other) {
  if (one == other) return true;
  const absl::string_view name = UriWithoutId(one);
  return name == UriWithoutId(other) && (name == one || name == other);
}

}  // namespace hourglass::hsm
