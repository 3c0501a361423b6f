#include "tools/agent/call.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/time/clock.h"
#include "tools/client/connection.h"

namespace hourglass::agent {

grpc::Status CallUnlessStopped(Waiter& waiter, absl::Duration timeout, const StartCall& start) {
  const int done = eventfd(0, EFD_CLOEXEC);
  if (done < 0) return grpc::Status(grpc::StatusCode::INTERNAL, "no event descriptor");
  const absl::Cleanup close_done = [done] { close(done); };
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + timeout));
  grpc::Status status;
  start(&context, [&status, done](grpc::Status s) {
    status = std::move(s);
    eventfd_write(done, 1);
  });
  if (waiter.Wait(absl::InfiniteDuration(), done) != Awaited::kEvent) {
    context.TryCancel();
    waiter.Wait(absl::InfiniteDuration(), done, /*although_stopping=*/true);
  }
  return status;
}

absl::Duration RetryDelayOf(const absl::Status& status) {
  const v1::ErrorDetail detail = client::DetailOf(status);
  return absl::Seconds(detail.retry_delay().seconds()) +
         absl::Nanoseconds(detail.retry_delay().nanos());
}

}  // namespace hourglass::agent
