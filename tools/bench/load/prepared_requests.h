// Certificate requests made before a measurement begins, so that making them costs it nothing.
#ifndef HOURGLASS_TOOLS_BENCH_LOAD_PREPARED_REQUESTS_H_
#define HOURGLASS_TOOLS_BENCH_LOAD_PREPARED_REQUESTS_H_

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "grpcpp/support/byte_buffer.h"
#include "tools/bench/load/request_tokens.h"

namespace hourglass::bench {

// One device of one tenant with a user, and its signed request for a P-256 key.
struct PreparedRequest {
  std::string tenant_id;
  std::string user_upn;
  std::string public_key;  // SubjectPublicKeyInfo, DER
  // An IssueCertificateRequest without request_id, serialized: fields of a message may come in any
  // order, so that the id is added behind it.
  std::string head;
};

// The same in every pool: what a service must know before it is asked. GUIDs, as directories have.
std::string DeviceIdOf(int number);
std::string UserIdOf(int number);

struct PreparedRequestsOptions {
  std::vector<std::string> tenant_ids = {};
  int devices_per_tenant = 16;
  // Distinct keys; requests beyond this number share them, in other tenants or of other devices.
  int keys = 2000;
  // At least one a tenant. The order is such that neighbours are of different tenants.
  int requests = 2000;
  // Where there are any, each request brings one of its own, and is for whom it names.
  const RequestTokens* tokens = nullptr;
};

// Immutable.
class PreparedRequests {
 public:
  // Errors: INTERNAL where OpenSSL fails.
  static absl::StatusOr<PreparedRequests> Make(const PreparedRequestsOptions& options);

  std::size_t size() const { return requests_.size(); }
  const PreparedRequest& operator[](std::size_t index) const { return requests_[index]; }

 private:
  // With all processors: a signature each.
  void AddTokens(const PreparedRequestsOptions& options);

  std::vector<PreparedRequest> requests_;
};

// Random ids with the form of a UUID of version 4 (RFC 9562 section 5.4). Not for secrets.
class RequestIds {
 public:
  // Ids that no other object gives.
  RequestIds();
  explicit RequestIds(std::uint64_t seed) : random_(seed) {}
  std::string Next();

 private:
  std::mt19937_64 random_;
};

// `request` under this id as a serialized IssueCertificateRequest. Refers to `request`, which must
// outlive it.
grpc::ByteBuffer Serialized(const PreparedRequest& request, const std::string& request_id);

}  // namespace hourglass::bench

#endif  // HOURGLASS_TOOLS_BENCH_LOAD_PREPARED_REQUESTS_H_
