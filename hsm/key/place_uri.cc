#include "hsm/key/place_uri.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "hsm/base/status_macros.h"
#include "hsm/key/uri_text.h"

namespace hourglass::hsm {
namespace {

// Persistent objects of the owner's hierarchy (TPM 2.0 Library, Part 2, section 7.5, and Part 3,
// TPM2_EvictControl).
constexpr std::uint32_t kFirstHandle = 0x81000000;
constexpr std::uint32_t kLastHandle = 0x817fffff;

// A key's file in the configured folder, or with the folder before it.
struct FilePath {
  std::string directory;
  std::string name;
};

bool IsPlainDirectory(absl::string_view path) {
  if (path == "/") return true;
  const std::vector<absl::string_view> parts = absl::StrSplit(path, '/');
  return parts.size() > 1 && parts[0].empty() &&
         std::all_of(parts.begin() + 1, parts.end(), [](absl::string_view part) {
           return !part.empty() && part != "." && part != "..";
         });
}

absl::StatusOr<FilePath> ParseFilePath(absl::string_view text) {
  FilePath path;
  const std::size_t slash = text.rfind('/');
  if (slash != absl::string_view::npos) {
    ASSIGN_OR_RETURN(path.directory, PercentDecoded(text.substr(0, std::max<size_t>(slash, 1))));
    if (!IsPlainDirectory(path.directory)) {
      return UriInvalid("the folder must be an absolute path without empty parts, . and ..");
    }
    text.remove_prefix(slash + 1);
  }
  if (!IsKeyName(text)) {
    return UriInvalid("the name must be 1 to 128 of A-Z a-z 0-9 . _ - and not begin with a dot");
  }
  path.name = std::string(text);
  return path;
}

absl::StatusOr<std::uint32_t> ParseHandle(absl::string_view text) {
  std::uint32_t handle = 0;
  if (text.size() != 10 || !absl::StartsWith(text, "0x") || !absl::SimpleHexAtoi(text, &handle) ||
      handle < kFirstHandle || handle > kLastHandle) {
    return UriInvalid("handle must be 0x and eight digits, from 0x81000000 to 0x817fffff");
  }
  return handle;
}

// What both kinds of keys may say of the TPM.
struct TpmQuery {
  std::string tcti;
  std::string pin_source;
};

absl::StatusOr<TpmQuery> ParseQuery(absl::string_view text) {
  RETURN_IF_ERROR(CheckAttributes(text, '&', {"tcti", "pin-source"}));
  TpmQuery query;
  ASSIGN_OR_RETURN(query.tcti, PercentDecoded(AttributeIn(text, '&', "tcti")));
  ASSIGN_OR_RETURN(query.pin_source, PercentDecoded(AttributeIn(text, '&', "pin-source")));
  return query;
}

absl::StatusOr<KeyUri> ParseSealed(absl::string_view path, TpmQuery query) {
  RETURN_IF_ERROR(CheckAttributes(path, ';', {"sealed", "pcrs"}));
  ASSIGN_OR_RETURN(FilePath file, ParseFilePath(AttributeIn(path, ';', "sealed")));
  SealedKeyUri key{std::move(file.name), std::move(file.directory), std::nullopt,
                   std::move(query.tcti), std::move(query.pin_source)};
  if (const absl::string_view registers = AttributeIn(path, ';', "pcrs"); !registers.empty()) {
    ASSIGN_OR_RETURN(key.registers, ParsePcrSelection(registers));
  }
  return key;
}

}  // namespace

absl::StatusOr<KeyUri> ParseSoftwareUri(absl::string_view text) {
  RETURN_IF_ERROR(CheckUriText(text));
  ASSIGN_OR_RETURN(FilePath path, ParseFilePath(absl::StripPrefix(text, kSoftwareScheme)));
  return SoftwareKeyUri{std::move(path.name), std::move(path.directory)};
}

absl::StatusOr<KeyUri> ParseTpmUri(absl::string_view text) {
  RETURN_IF_ERROR(CheckUriText(text));
  const absl::string_view body = absl::StripPrefix(text, kTpmScheme);
  const std::size_t question = std::min(body.find('?'), body.size());
  if (question + 1 == body.size()) return UriInvalid("ends in ?");
  const absl::string_view path = body.substr(0, question);
  ASSIGN_OR_RETURN(TpmQuery query, ParseQuery(absl::ClippedSubstr(body, question + 1)));
  if (!AttributeIn(path, ';', "sealed").empty()) return ParseSealed(path, std::move(query));
  RETURN_IF_ERROR(CheckAttributes(path, ';', {"handle"}));
  ASSIGN_OR_RETURN(const std::uint32_t handle, ParseHandle(AttributeIn(path, ';', "handle")));
  return ResidentKeyUri{handle, std::move(query.tcti), std::move(query.pin_source)};
}

absl::StatusOr<PcrSelection> ParsePcrSelection(absl::string_view text) {
  if (text == "none") return PcrSelection();
  PcrSelection registers;
  if (!absl::ConsumePrefix(&text, "sha256:")) {
    return UriInvalid("pcrs must be sha256:NUMBERS or none");
  }
  for (const absl::string_view number : absl::StrSplit(text, ',')) {
    int value = -1;
    const bool canonical = absl::SimpleAtoi(number, &value) && absl::StrCat(value) == number;
    if (!canonical || value < 0 || value > kHighestRegister ||
        (!registers.empty() && value <= registers.back())) {
      return UriInvalid(absl::StrCat("pcrs must be sha256: and numbers from 0 to ",
                                     kHighestRegister, ", ascending, or none"));
    }
    registers.push_back(value);
  }
  return registers;
}

std::string FormatPcrSelection(const PcrSelection& registers) {
  if (registers.empty()) return "none";
  return absl::StrCat("sha256:", absl::StrJoin(registers, ","));
}

std::string FormatHandle(std::uint32_t handle) {
  return absl::StrCat("0x", absl::Hex(handle, absl::kZeroPad8));
}

}  // namespace hourglass::hsm
