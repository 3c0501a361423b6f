#include "hsm/key/keys_in_parts.h"

#include <utility>

#include "hsm/base/status_macros.h"

namespace hourglass::hsm {
namespace {

class OnePart final : public KeysInParts {
 public:
  explicit OnePart(KeyCustodian* custodian) : custodian_(*custodian) {}

  absl::StatusOr<std::optional<std::vector<KeyListing>>> ReadOn(std::chrono::nanoseconds) override {
    ASSIGN_OR_RETURN(std::vector<KeyListing> keys, custodian_.List());
    return std::make_optional(std::move(keys));
  }

 private:
  KeyCustodian& custodian_;
};

}  // namespace

std::unique_ptr<KeysInParts> KeysAtOnce(KeyCustodian* custodian) {
  return std::make_unique<OnePart>(custodian);
}

}  // namespace hourglass::hsm
