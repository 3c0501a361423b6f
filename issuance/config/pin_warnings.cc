#include "issuance/config/pin_warnings.h"

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "hsm/key/key_uri.h"

namespace hourglass::issuance {

std::vector<std::string> PinsInEnvironment(const hsm::KeyStoreOptions& keys) {
  std::vector<std::string> warnings;
  const auto look = [&](const std::string& field, const absl::StatusOr<hsm::PinSource>& source) {
    if (!source.ok() || source->kind != hsm::PinSource::Kind::kEnvironment) return;
    warnings.push_back(absl::StrCat(field, ": the PIN is in the environment (", source->name,
                                    "), where the service itself can read it, and whoever takes "
                                    "it over: use file: or credential:"));
  };
  for (std::size_t i = 0; i < keys.tokens.size(); ++i) {
    const absl::StatusOr<hsm::TokenUri> token = hsm::ParseTokenUri(keys.tokens[i]);
    if (token.ok()) look(absl::StrCat("keys.tokens[", i, "]"), token->pin_source);
  }
  if (keys.tpm.has_value() && !keys.tpm->pin_source.empty()) {
    look("keys.tpm.pin_source", hsm::ParsePinSource(keys.tpm->pin_source));
  }
  return warnings;
}

}  // namespace hourglass::issuance
