#include "issuance/authorities/key_warm_up.h"

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

KeyWarmUp::KeyWarmUp(const std::vector<std::string>& tenant_ids, Tenants* tenants,
                     hsm::KeyStore* keys, EventLog log)
    : log_(std::move(log)) {
  const MutexLock lock(mutex_);
  if (tenant_ids.size() > kMostTenants) {
    for (const auto& [token, status] : keys->Status()) {
      Add([keys, token = token] { return keys->MakeReady(token); }, "token", token);
    }
  }
  for (std::size_t i = 0; i < std::min(tenant_ids.size(), kMostTenants); ++i) {
    Add([tenants, id = tenant_ids[i]] { return tenants->Snapshot(id).status(); }, "tenant",
        tenant_ids[i]);
  }
  const std::size_t threads = std::min(kThreads, closed_.size());
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { Run(); });
}

void KeyWarmUp::Add(std::function<absl::Status()> open, absl::string_view kind,
                    const std::string& name) {
  // Those of one time stay in the order in which they came.
  closed_.emplace(steady_clock::time_point::min(),
                  Closed{std::move(open), std::string(kind), name, kShortestPause, ""});
}

KeyWarmUp::~KeyWarmUp() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  stop_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void KeyWarmUp::Run() {
  MutexLock lock(mutex_);
  // What another thread has in hand comes back to closed_ by that thread, which goes on with it.
  while (!stopping_ && !closed_.empty()) {
    const steady_clock::time_point due = closed_.begin()->first;
    if (due > steady_clock::now()) {
      stop_.wait_until(lock, due,
                       [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return stopping_; });
      continue;
    }
    Closed closed = std::move(closed_.extract(closed_.begin()).mapped());
    lock.unlock();
    const bool done = Open(closed);
    lock.lock();
    if (done) continue;
    const steady_clock::time_point again = steady_clock::now() + closed.pause;
    closed.pause = std::min<std::chrono::milliseconds>(2 * closed.pause, kLongestPause);
    closed_.emplace(again, std::move(closed));
  }
}

bool KeyWarmUp::Open(Closed& closed) const {
  const absl::Status status = closed.open();
  if (status.ok()) return true;
  std::string message(status.message());
  if (message != closed.failure) {
    log_.Failure("key_failed", {{closed.kind, closed.name}, {"message", message}});
    closed.failure = std::move(message);
  }
  return false;
}

}  // namespace hourglass::issuance
