// Faults that are put into a run so that it can be seen to fail. None is in the product: each is in
// the test's own database, or in a library that the test loads before the service
// (tests/chaos/seeded_statements.cc), which changes what the service says to its database.
#ifndef HOURGLASS_TESTS_CHAOS_SEEDED_FAULT_H_
#define HOURGLASS_TESTS_CHAOS_SEEDED_FAULT_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace hourglass::chaos {

enum class SeededFault {
  kNone,
  // No fence at all: appends hold no lock, and do not look at the tenant's epoch and primary.
  kNoFence,
  // They look, but hold no lock; what they write takes a while to be committed.
  kNoLock,
  // A request id may be recorded twice.
  kNoIdempotency,
};

// `none`, `no-fence`, `no-lock`, `no-idempotency`. Lives as long as the process.
absl::string_view SeededFaultName(SeededFault fault);
std::optional<SeededFault> SeededFaultOfName(absl::string_view name);

// The library, where the tests find it, and the environment variable that tells it the fault.
inline constexpr char kSeededStatements[] = "tests/chaos/libseeded_statements.so";
inline constexpr char kSeededFaultVariable[] = "HOURGLASS_SEEDED_FAULT";

// Whether it is in statements, and the library is needed.
inline bool IsInStatements(SeededFault fault) {
  return fault == SeededFault::kNoFence || fault == SeededFault::kNoLock;
}

// The statement with the fault. Where the fault has a place in statements of this kind and it is
// not found the text is empty: then the product's statements have changed, and the fault has to be
// written anew.
std::string WithFault(SeededFault fault, absl::string_view sql);

}  // namespace hourglass::chaos

#endif  // HOURGLASS_TESTS_CHAOS_SEEDED_FAULT_H_
