#include "tests/chaos/link.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace hourglass::chaos {
namespace {

// So much of one direction is kept back; then its sender finds that nobody takes more.
constexpr std::size_t kMostWaiting = std::size_t{256} << 10;

bool WouldBlock() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

// An RST instead of a FIN when it is closed.
void EndAbruptly(const issuance::Descriptor& socket) {
  const linger at_once = {1, 0};
  setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

}  // namespace

Link::Link(issuance::Descriptor client, issuance::Descriptor server)
    : client_(std::move(client)),
      server_(std::move(server)),
      requests_{&client_, &server_},
      answers_{&server_, &client_} {}

void Link::Silence(Direction direction) {
  is_half_open_ = true;
  if (direction != Direction::kAnswers) Drop(requests_);
  if (direction != Direction::kRequests) Drop(answers_);
}

void Link::Drop(Way& way) {
  way.portions.clear();
  way.waiting = 0;
  way.is_dropped = true;
}

bool Link::MayRead(const Way& way) { return !way.has_ended && way.waiting < kMostWaiting; }

void Link::AddWaits(const Conditions& conditions, SteadyTime now,
                    std::vector<pollfd>& waits) const {
  for (const Way* way : {&requests_, &answers_}) {
    if (MayRead(*way)) waits.push_back({way->from->get(), POLLIN, 0});
    if (!conditions.holds && !way->portions.empty() && way->portions.front().due <= now) {
      waits.push_back({way->to->get(), POLLOUT, 0});
    }
  }
}

std::optional<SteadyTime> Link::NextDue(const Conditions& conditions) const {
  std::optional<SteadyTime> next;
  if (conditions.holds) return next;
  for (const Way* way : {&requests_, &answers_}) {
    if (way->portions.empty()) continue;
    next = std::min(next.value_or(way->portions.front().due), way->portions.front().due);
  }
  return next;
}

bool Link::Work(const Conditions& conditions, SteadyTime now, std::mt19937_64& random) {
  if (is_cut_) {
    EndAbruptly(client_);
    EndAbruptly(server_);
    return false;
  }
  bool goes_on = true;
  for (Way* way : {&requests_, &answers_}) {
    Read(*way, conditions, now, random);
    // Then nobody learns of an end either.
    if (conditions.holds) continue;
    const bool is_taken = Write(*way, now);
    if (!is_taken) Drop(*way);
    goes_on = goes_on && is_taken && !(way->has_ended && way->portions.empty());
  }
  return goes_on || is_half_open_;
}

void Link::Read(Way& way, const Conditions& conditions, SteadyTime now, std::mt19937_64& random) {
  std::array<char, kPortion> octets;
  while (MayRead(way)) {
    const ssize_t count = recv(way.from->get(), octets.data(), octets.size(), MSG_DONTWAIT);
    if (count < 0 && WouldBlock()) return;
    if (count <= 0) {
      way.has_ended = true;
      return;
    }
    if (way.is_dropped) continue;
    SteadyTime due = now;
    if (conditions.longest_delay.count() > 0) {
      due += std::chrono::milliseconds(
          std::uniform_int_distribution<std::int64_t>(0, conditions.longest_delay.count())(random));
    }
    // None overtakes another.
    if (!way.portions.empty()) due = std::max(due, way.portions.back().due);
    way.portions.push_back({std::string(octets.data(), static_cast<std::size_t>(count)), due});
    way.waiting += static_cast<std::size_t>(count);
  }
}

bool Link::Write(Way& way, SteadyTime now) {
  while (!way.portions.empty() && way.portions.front().due <= now) {
    std::string& octets = way.portions.front().octets;
    const ssize_t count =
        send(way.to->get(), octets.data(), octets.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count < 0 && WouldBlock()) return true;
    if (count < 0) return false;
    way.waiting -= static_cast<std::size_t>(count);
    octets.erase(0, static_cast<std::size_t>(count));
    if (octets.empty()) way.portions.pop_front();
  }
  return true;
}

}  // namespace hourglass::chaos
