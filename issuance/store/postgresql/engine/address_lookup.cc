#include "issuance/store/postgresql/engine/address_lookup.h"

#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <system_error>
#include <thread>
#include <utility>

#include "hsm/base/error.h"
#include "hsm/base/mutex.h"

namespace hourglass::issuance::postgresql {
namespace {

constexpr int kMostLookups = 8;

struct Found {
  int error = 0;  // of getaddrinfo
  std::vector<std::string> addresses;
};

Found Ask(const std::string& host, int flags) {
  addrinfo hints = {};
  hints.ai_flags = flags;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  Found found;
  found.error = getaddrinfo(host.c_str(), nullptr, &hints, &list);
  if (found.error != 0) return found;
  for (const addrinfo* one = list; one != nullptr; one = one->ai_next) {
    std::array<char, NI_MAXHOST> number;
    if (getnameinfo(one->ai_addr, one->ai_addrlen, number.data(), number.size(), nullptr, 0,
                    NI_NUMERICHOST) != 0) {
      continue;
    }
    const std::string address(number.data());
    if (std::find(found.addresses.begin(), found.addresses.end(), address) ==
        found.addresses.end()) {
      found.addresses.push_back(address);
    }
  }
  freeaddrinfo(list);
  return found;
}

// Shared by who asks and the thread that waits for the resolver: whoever is last frees it.
struct Lookup {
  Mutex mutex;
  ConditionVariable answered;
  bool is_answered ABSL_GUARDED_BY(mutex) = false;
  Found found ABSL_GUARDED_BY(mutex);
};

std::atomic<int> lookups_under_way = 0;

void Answer(const std::shared_ptr<Lookup>& lookup, const std::string& host) {
  Found found = Ask(host, 0);
  lookups_under_way.fetch_sub(1);
  {
    const MutexLock lock(lookup->mutex);
    lookup->found = std::move(found);
    lookup->is_answered = true;
  }
  lookup->answered.notify_one();
}

// False where no thread can be had for it.
bool Begin(const std::shared_ptr<Lookup>& lookup, const std::string& host) {
  if (lookups_under_way.fetch_add(1) < kMostLookups) {
    try {
      std::thread([lookup, host] { Answer(lookup, host); }).detach();
      return true;
    } catch (const std::system_error&) {  // no more threads
    }
  }
  lookups_under_way.fetch_sub(1);
  return false;
}

absl::Status Unavailable(absl::string_view why) {
  return Error(ErrorReason::kJournalUnavailable, "", why);
}

}  // namespace

absl::StatusOr<std::vector<std::string>> LookUpAddresses(const std::string& host,
                                                         const Deadline& deadline) {
  Found found = Ask(host, AI_NUMERICHOST);
  if (found.error == 0 && !found.addresses.empty()) return std::move(found.addresses);
  const auto lookup = std::make_shared<Lookup>();
  if (!Begin(lookup, host)) return Unavailable("too many names are being looked up");
  {
    MutexLock lock(lookup->mutex);
    if (!lookup->answered.wait_for(
            lock, deadline.Left(),
            [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(lookup->mutex) { return lookup->is_answered; })) {
      return Unavailable("the name could not be looked up in time");
    }
    found = std::move(lookup->found);
  }
  if (found.error != 0) return Unavailable(gai_strerror(found.error));
  if (found.addresses.empty()) return Unavailable("the name has no address");
  return std::move(found.addresses);
}

}  // namespace hourglass::issuance::postgresql
