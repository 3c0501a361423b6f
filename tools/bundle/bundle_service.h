// What a follower asks of the service. Each call has a connection of its own, which takes up
// renewed credentials.
#ifndef HOURGLASS_TOOLS_BUNDLE_BUNDLE_SERVICE_H_
#define HOURGLASS_TOOLS_BUNDLE_BUNDLE_SERVICE_H_

#include <grpcpp/grpcpp.h>

#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "hourglass/v1/trust_bundles.grpc.pb.h"
#include "hsm/base/mutex.h"
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

// How long a stream lives before another takes its place: who was cut off without being told is
// that long behind at most.
inline constexpr absl::Duration kStreamLength = absl::Minutes(10);

// A WatchTrustBundle call, read by gRPC's threads. All functions are for one thread.
class BundleStream final : private grpc::ClientReadReactor<v1::TrustBundle> {
 public:
  // Errors: those of client::Connection::Open, INTERNAL_ERROR.
  static absl::StatusOr<std::unique_ptr<BundleStream>> Open(const client::ConnectionConfig& config,
                                                            const std::string& tenant);
  // Hangs up.
  ~BundleStream() override;
  BundleStream(const BundleStream&) = delete;
  BundleStream& operator=(const BundleStream&) = delete;

  // Can be read while there is something new to Take, or the stream has ended.
  int event_fd() const { return event_; }

  // The newest bundle that came since the last call; what came before it is passed over.
  std::optional<v1::TrustBundle> Take();

  // How it ended: OK where the service ended it in order, or kStreamLength did; else
  // client::CallError; nullopt while it lives.
  std::optional<absl::Status> Ended();

 private:
  BundleStream(const client::Connection& connection, const std::string& tenant, int event);

  void OnReadDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

  const std::string server_;
  const int event_;
  v1::TrustBundleService::Stub stub_;
  grpc::ClientContext context_;
  v1::WatchTrustBundleRequest request_;
  v1::TrustBundle reading_;  // gRPC's between StartRead and OnReadDone
  Mutex mutex_;
  ConditionVariable done_;
  std::optional<v1::TrustBundle> newest_ ABSL_GUARDED_BY(mutex_);
  std::optional<grpc::Status> ended_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hourglass::bundle

#endif  // HOURGLASS_TOOLS_BUNDLE_BUNDLE_SERVICE_H_
