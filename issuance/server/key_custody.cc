#include "issuance/server/key_custody.h"

#include "absl/memory/memory.h"
#include "hsm/base/status_macros.h"

namespace hourglass::issuance {

absl::StatusOr<std::unique_ptr<KeyCustody>> KeyCustody::Start(const hsm::KeyStoreOptions& options,
                                                              const EventLog* log) {
  std::unique_ptr<KeyCustody> custody = absl::WrapUnique(new KeyCustody(log));
  hsm::KeyStoreOptions observed = options;
  observed.observer = &custody->events_;
  ASSIGN_OR_RETURN(custody->keys_, hsm::KeyStore::Create(observed));
  return custody;
}

}  // namespace hourglass::issuance
