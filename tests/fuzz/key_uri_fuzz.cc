// Whatever a key or token is called, the parser takes it in its one form or refuses it for its URI.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "hsm/base/error.h"
#include "hsm/key/key_uri.h"

namespace hourglass::hsm {
namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

void CheckFile(const std::string& directory, const std::string& name) {
  Require(IsKeyName(name));
  Require(directory.empty() || directory[0] == '/');
  Require(!absl::StrContains(absl::StrCat(directory, "/"), "/../"));
}

void CheckSealed(const SealedKeyUri& key) {
  CheckFile(key.directory, key.name);
  if (!key.registers.has_value()) return;
  const absl::StatusOr<PcrSelection> again = ParsePcrSelection(FormatPcrSelection(*key.registers));
  Require(again.ok() && *again == *key.registers);
  for (const int number : *key.registers) Require(number >= 0 && number <= 23);
}

void CheckKey(absl::string_view text) {
  const absl::StatusOr<KeyUri> uri = ParseKeyUri(text);
  if (!uri.ok()) {
    Require(ReasonOf(uri.status()) == ErrorReason::kKeyUriInvalid);
    return;
  }
  const std::string canonical = FormatKeyUri(*uri);
  const absl::StatusOr<KeyUri> again = ParseKeyUri(canonical);
  Require(again.ok() && FormatKeyUri(*again) == canonical);
  if (const auto* software = std::get_if<SoftwareKeyUri>(&*uri)) {
    CheckFile(software->directory, software->name);
  }
  if (const auto* sealed = std::get_if<SealedKeyUri>(&*uri)) CheckSealed(*sealed);
  if (const auto* resident = std::get_if<ResidentKeyUri>(&*uri)) {
    Require(resident->handle >= 0x81000000 && resident->handle <= 0x817fffff);
  }
  if (const auto* token = std::get_if<TokenKeyUri>(&*uri)) Require(IsKeyName(token->object));
}

void CheckToken(absl::string_view text) {
  const absl::StatusOr<TokenUri> token = ParseTokenUri(text);
  if (!token.ok()) {
    Require(ReasonOf(token.status()) == ErrorReason::kKeyUriInvalid);
    return;
  }
  Require(!token->label.empty() && token->module_path[0] == '/');
  const absl::StatusOr<PinSource> source = ParsePinSource(FormatPinSource(token->pin_source));
  Require(source.ok() && *source == token->pin_source);
}

}  // namespace
}  // namespace hourglass::hsm

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  hourglass::hsm::CheckKey(text);
  hourglass::hsm::CheckToken(text);
  return 0;
}
