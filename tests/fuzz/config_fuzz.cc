// Whatever a configuration or policy file holds, reading it gives a value or the mistakes with
// their lines.
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "hsm/base/error.h"
#include "issuance/compliance/policy.h"
#include "issuance/config/config.h"

namespace hourglass::issuance {
namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

// `file.yaml:LINE: …`.
bool IsPlaced(absl::string_view mistake) {
  const std::vector<absl::string_view> parts = absl::StrSplit(mistake, absl::MaxSplits(':', 2));
  return parts.size() == 3 && parts[0] == "file.yaml" && !parts[1].empty() &&
         parts[1].find_first_not_of("0123456789") == absl::string_view::npos;
}

void RequireMistakes(const absl::Status& status) {
  if (status.ok()) return;
  Require(ReasonOf(status) == ErrorReason::kConfigurationInvalid);
  for (const absl::string_view mistake : absl::StrSplit(status.message(), '\n')) {
    Require(IsPlaced(mistake));
  }
}

}  // namespace
}  // namespace hourglass::issuance

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hourglass::issuance;  // NOLINT(google-build-using-namespace): one function
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const auto config = ParseConfig(text, "file.yaml");
  RequireMistakes(config.status());
  if (config.ok()) {
    Require(!config->callers.empty() && !config->listen.empty());
    const hourglass::hsm::KeyStoreOptions& keys = config->keys;
    Require(!keys.tokens.empty() || keys.tpm.has_value() || !keys.software_directory.empty());
    Require(keys.workers_per_token >= 0 && keys.hang_timeout.count() > 0);
  }
  RequireMistakes(ParsePolicy(text, "file.yaml").status());
  return 0;
}
