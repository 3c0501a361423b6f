// Loaded before a hourglassd (LD_PRELOAD): stands between it and libpq, and puts the fault of the
// environment variable (tests/chaos/seeded_fault.h) into the statements that it prepares. Ends the
// process where the fault has no place in them any more.
#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>

#include "tests/chaos/seeded_fault.h"

namespace hourglass::chaos {
namespace {

[[noreturn]] void Die(const char* what, const char* of) {
  std::fprintf(stderr, "seeded_statements: %s: %s\n", what, of);
  std::abort();
}

SeededFault FaultOfEnvironment() {
  const char* const name = std::getenv(kSeededFaultVariable);
  const std::optional<SeededFault> fault = SeededFaultOfName(name == nullptr ? "" : name);
  if (!fault.has_value()) Die("no such fault", name == nullptr ? "" : name);
  return *fault;
}

}  // namespace
}  // namespace hourglass::chaos

// As libpq-fe.h has it; Oid is unsigned int there.
extern "C" [[gnu::visibility("default")]] int PQsendPrepare(void* connection, const char* name,
                                                            const char* query, int types,
                                                            const unsigned int* type) {
  using Function = int (*)(void*, const char*, const char*, int, const unsigned int*);
  static const auto real = reinterpret_cast<Function>(dlsym(RTLD_NEXT, "PQsendPrepare"));
  static const hourglass::chaos::SeededFault fault = hourglass::chaos::FaultOfEnvironment();
  if (real == nullptr) hourglass::chaos::Die("libpq has no", "PQsendPrepare");
  const std::string changed = hourglass::chaos::WithFault(fault, query);
  if (changed.empty()) hourglass::chaos::Die("the fault has no place in", query);
  return real(connection, name, changed.c_str(), types, type);
}
