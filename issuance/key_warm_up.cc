#include "issuance/key_warm_up.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "hsm/base/error.h"

namespace hourglass::issuance {
namespace {

using std::chrono::steady_clock;

// Openings at once: a dead token must not hold up the others, nor a start fill the machine.
constexpr std::size_t kThreads = 4;
constexpr std::chrono::seconds kShortestPause(1);
constexpr std::chrono::seconds kLongestPause(30);

}  // namespace

KeyWarmUp::KeyWarmUp(std::vector<std::string> tenant_ids, Tenants* tenants, EventLog log)
    : tenants_(tenants), log_(std::move(log)) {
  const steady_clock::time_point now = steady_clock::now();
  for (std::string& tenant_id : tenant_ids) {
    closed_.emplace(now, Closed{std::move(tenant_id), kShortestPause, ""});
  }
  const std::size_t threads = std::min(kThreads, closed_.size());
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { Run(); });
}

KeyWarmUp::~KeyWarmUp() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void KeyWarmUp::Run() {
  std::unique_lock lock(mutex_);
  // What another thread has in hand comes back to closed_ by that thread, which goes on with it.
  while (!stopping_ && !closed_.empty()) {
    const steady_clock::time_point due = closed_.begin()->first;
    if (due > steady_clock::now()) {
      stop_.wait_until(lock, due);
      continue;
    }
    Closed tenant = std::move(closed_.extract(closed_.begin()).mapped());
    lock.unlock();
    const bool done = Open(tenant);
    lock.lock();
    if (done) continue;
    const steady_clock::time_point again = steady_clock::now() + tenant.pause;
    tenant.pause = std::min<std::chrono::milliseconds>(2 * tenant.pause, kLongestPause);
    closed_.emplace(again, std::move(tenant));
  }
}

bool KeyWarmUp::Open(Closed& tenant) {
  const absl::Status status = tenants_->Snapshot(tenant.tenant_id).status();
  if (status.ok()) return true;
  std::string message(status.message());
  if (message != tenant.failure) {
    log_.Failure("key_failed", {{"tenant", tenant.tenant_id}, {"message", message}});
    tenant.failure = std::move(message);
  }
  return false;
}

}  // namespace hourglass::issuance
