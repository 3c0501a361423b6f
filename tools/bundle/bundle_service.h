// What a follower asks of the service. Each call has a connection of its own, which takes up
// renewed credentials.
#ifndef HOURGLASS_TOOLS_BUNDLE_BUNDLE_SERVICE_H_
#define HOURGLASS_TOOLS_BUNDLE_BUNDLE_SERVICE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hourglass/v1/trust_bundles.grpc.pb.h"
#include "tools/agent/message_stream.h"
#include "tools/agent/waiter.h"
#include "tools/client/connection.h"

namespace hourglass::bundle {

// The bundle as it is now. Errors: those of client::Connection::Open and client::CallError.
absl::StatusOr<v1::TrustBundle> GetBundle(const client::ConnectionConfig& config,
                                          const std::string& tenant, agent::Waiter& waiter);

// Says that the roots of this version are trusted; `document_sha256` are 32 octets. Errors: as
// GetBundle.
absl::Status Acknowledge(const client::ConnectionConfig& config, const std::string& tenant,
                         std::uint64_t version, const std::string& document_sha256,
                         agent::Waiter& waiter);

using BundleStream = agent::MessageStream<v1::TrustBundle>;

// A WatchTrustBundle call, of which the newest bundle counts. Errors: those of BundleStream::Open.
absl::StatusOr<std::unique_ptr<BundleStream>> WatchBundles(const client::ConnectionConfig& config,
                                                           const std::string& tenant);

}  // namespace hourglass::bundle

#endif  // HOURGLASS_TOOLS_BUNDLE_BUNDLE_SERVICE_H_
