#include "issuance/edge/memory_guard.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <fstream>
#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "issuance/edge/connection_end.h"

namespace hourglass::issuance {
namespace {

constexpr std::chrono::milliseconds kPause(250);
constexpr std::size_t kPausesOfAMinute = 240;
// What a connection must have received in a pause to be the cause of anything, octets.
constexpr std::uint64_t kLeastReceived = 256 * 1024;

// Resident, octets; 0 where the kernel does not tell.
std::uint64_t Resident() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t all = 0;
  std::uint64_t resident = 0;
  file >> all >> resident;
  return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

MemoryGuard::MemoryGuard(int port, const EventLog& log)
    : port_(port), log_(log), thread_([this] { Watch(); }) {}

MemoryGuard::~MemoryGuard() {
  {
    const MutexLock lock(mutex_);
    going_ = true;
  }
  goes_.notify_all();
  thread_.join();
}

bool MemoryGuard::Pause() {
  MutexLock lock(mutex_);
  goes_.wait_for(lock, kPause, [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return going_; });
  return !going_;
}

void MemoryGuard::Watch() {
  std::deque<std::uint64_t> latest;
  while (Pause()) {
    const std::uint64_t now = Resident();
    const bool grows = !latest.empty() && now > latest.back();
    latest.push_back(now);
    if (latest.size() > kPausesOfAMinute) latest.pop_front();
    if (grows && now - *std::min_element(latest.begin(), latest.end()) > kMostGrowth) {
      EndTheLargest();
    }
  }
}

void MemoryGuard::EndTheLargest() {
  const std::map<std::string, std::uint64_t> before = ReceivedByPeer(port_);
  if (!Pause()) return;
  std::string largest;
  std::uint64_t most = kLeastReceived;
  for (const auto& [peer, octets] : ReceivedByPeer(port_)) {
    const auto found = before.find(peer);
    const std::uint64_t received = octets - (found == before.end() ? 0 : found->second);
    if (received < most) continue;
    most = received;
    largest = peer;
  }
  if (largest.empty() || !EndConnectionOf(largest)) return;
  log_.Warning("connection_ended",
               {{"peer", largest},
                {"message", absl::StrCat("the service's memory grows fast, and of all connections "
                                         "this one received most: ",
                                         most, " octets in a quarter of a second")}});
}

}  // namespace hourglass::issuance
