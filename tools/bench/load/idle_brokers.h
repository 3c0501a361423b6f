// Brokers that are connected and ask for nothing.
#ifndef HOURGLASS_TOOLS_BENCH_LOAD_IDLE_BROKERS_H_
#define HOURGLASS_TOOLS_BENCH_LOAD_IDLE_BROKERS_H_

#include <openssl/ssl.h>

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "hsm/base/openssl.h"
#include "tools/bench/load/load_generator.h"

namespace hourglass::bench {

// Mutual TLS and the beginning of HTTP/2 (RFC 9113 section 3.4), as gRPC clients make them, without
// the memory and the threads of gRPC clients. Closed when this object goes.
class IdleBrokers {
 public:
  // So many connections. Errors: UNAVAILABLE where one cannot be made; RESOURCE_EXHAUSTED where
  // this process may not open so many files.
  static absl::StatusOr<IdleBrokers> Connect(const LoadTarget& target, int count);

  // How many the service has not hung up on.
  int Connected() const;

 private:
  struct Connection;

  std::vector<std::shared_ptr<Connection>> connections_;
};

// Lets this process and those that it starts open as many files as its hard limit allows.
void RaiseFileLimit();

}  // namespace hourglass::bench

#endif  // HOURGLASS_TOOLS_BENCH_LOAD_IDLE_BROKERS_H_
