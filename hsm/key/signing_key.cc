#include "hsm/key/signing_key.h"

namespace hourglass::hsm {

std::vector<absl::StatusOr<std::string>> SigningKey::SignAll(
    absl::Span<const absl::string_view> messages) {
  std::vector<absl::StatusOr<std::string>> signatures;
  signatures.reserve(messages.size());
  for (const absl::string_view message : messages) signatures.push_back(Sign(message));
  return signatures;
}

}  // namespace hourglass::hsm
