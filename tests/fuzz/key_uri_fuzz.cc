// Whatever a key or token is called, the parser takes it in its one form or refuses it for its URI.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/string_view.h"
#include "hsm/base/error.h"
#include "hsm/key_uri.h"

namespace hourglass::hsm {
namespace {

void Require(bool holds) {
  if (!holds) std::abort();
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
  if (const auto* software = std::get_if<SoftwareKeyUri>(&*uri)) Require(IsKeyName(software->name));
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
