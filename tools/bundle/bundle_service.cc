#include "tools/bundle/bundle_service.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "tools/agent/call.h"

namespace hourglass::bundle {
namespace {

using Done = std::function<void(grpc::Status)>;

}  // namespace

absl::StatusOr<v1::TrustBundle> GetBundle(const client::ConnectionConfig& config,
                                          const std::string& tenant, agent::Waiter& waiter) {
  ASSIGN_OR_RETURN(const client::Connection connection, client::Connection::Open(config));
  v1::GetTrustBundleRequest request;
  request.set_tenant_id(tenant);
  v1::TrustBundle bundle;
  v1::TrustBundleService::Stub stub(connection.channel());
  const grpc::Status status = agent::CallUnlessStopped(
      waiter, connection.timeout(), [&](grpc::ClientContext* context, Done done) {
        stub.async()->GetTrustBundle(context, &request, &bundle, std::move(done));
      });
  if (!status.ok()) return client::CallError(status, connection.server());
  return bundle;
}

absl::Status Acknowledge(const client::ConnectionConfig& config, const std::string& tenant,
                         std::uint64_t version, const std::string& document_sha256,
                         agent::Waiter& waiter) {
  ASSIGN_OR_RETURN(const client::Connection connection, client::Connection::Open(config));
  v1::AcknowledgeTrustBundleRequest request;
  request.set_tenant_id(tenant);
  request.set_version(version);
  request.set_document_sha256(document_sha256);
  v1::RelyingParty relying_party;
  v1::TrustBundleService::Stub stub(connection.channel());
  const grpc::Status status = agent::CallUnlessStopped(
      waiter, connection.timeout(), [&](grpc::ClientContext* context, Done done) {
        stub.async()->AcknowledgeTrustBundle(context, &request, &relying_party, std::move(done));
      });
  return status.ok() ? absl::OkStatus() : client::CallError(status, connection.server());
}

absl::StatusOr<std::unique_ptr<BundleStream>> BundleStream::Open(
    const client::ConnectionConfig& config, const std::string& tenant) {
  ASSIGN_OR_RETURN(const client::Connection connection, client::Connection::Open(config));
  const int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (event < 0) {
    return Error(ErrorReason::kInternalError, "",
                 absl::StrCat("no event descriptor: ", strerror(errno)));
  }
  std::unique_ptr<BundleStream> stream(new BundleStream(connection, tenant, event));
  stream->StartRead(&stream->reading_);
  stream->StartCall();
  return stream;
}

BundleStream::BundleStream(const client::Connection& connection, const std::string& tenant,
                           int event)
    : server_(connection.server()), event_(event), stub_(connection.channel()) {
  request_.set_tenant_id(tenant);
  context_.set_deadline(absl::ToChronoTime(absl::Now() + kStreamLength));
  stub_.async()->WatchTrustBundle(&context_, &request_, this);
}

BundleStream::~BundleStream() {
  context_.TryCancel();
  {
    MutexLock lock(mutex_);
    done_.wait(lock, [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return ended_.has_value(); });
  }
  close(event_);
}

std::optional<v1::TrustBundle> BundleStream::Take() {
  MutexLock lock(mutex_);
  eventfd_t count = 0;
  // The end stays an event: whoever waits for more of this stream waits for nothing.
  if (!ended_.has_value()) eventfd_read(event_, &count);
  return std::exchange(newest_, std::nullopt);
}

std::optional<absl::Status> BundleStream::Ended() {
  MutexLock lock(mutex_);
  if (!ended_.has_value()) return std::nullopt;
  if (ended_->ok() || ended_->error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) {
    return absl::OkStatus();
  }
  return client::CallError(*ended_, server_);
}

void BundleStream::OnReadDone(bool ok) {
  if (!ok) return;
  {
    MutexLock lock(mutex_);
    newest_ = std::move(reading_);
    eventfd_write(event_, 1);
  }
  reading_.Clear();
  StartRead(&reading_);
}

// The last that gRPC does with this object. It may go as soon as the mutex is free.
void BundleStream::OnDone(const grpc::Status& status) {
  MutexLock lock(mutex_);
  ended_ = status;
  eventfd_write(event_, 1);
  done_.notify_all();
}

}  // namespace hourglass::bundle
