// One connection through a proxy.
#ifndef HOURGLASS_TESTS_CHAOS_LINK_H_
#define HOURGLASS_TESTS_CHAOS_LINK_H_

#include <poll.h>

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "issuance/edge/descriptor.h"

namespace hourglass::chaos {

using SteadyTime = std::chrono::steady_clock::time_point;

// As the client of the connection sees it.
enum class Direction { kRequests, kAnswers, kBoth };

// At most so much is delayed as one.
inline constexpr std::size_t kPortion = 4096;

// What a proxy does to all its connections.
struct Conditions {
  bool holds = false;
  std::chrono::milliseconds longest_delay{0};
};

// Two sockets, and what is on its way between them. For one thread at a time.
class Link {
 public:
  // Both connected.
  Link(issuance::Descriptor client, issuance::Descriptor server);
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  // From now on what is sent in this direction is thrown away, and no side learns of the other's
  // end: it is at its end when it is cut.
  void Silence(Direction direction);
  // Ends both sides by an RST, at the next Work.
  void Cut() { is_cut_ = true; }

  // What Work is to be called after. Appends to `waits`.
  void AddWaits(const Conditions& conditions, SteadyTime now, std::vector<pollfd>& waits) const;
  // When there is work that no descriptor tells of.
  std::optional<SteadyTime> NextDue(const Conditions& conditions) const;
  // Reads and writes what is possible at once. False where the connection is at its end.
  bool Work(const Conditions& conditions, SteadyTime now, std::mt19937_64& random);

  bool is_half_open() const { return is_half_open_; }

 private:
  struct Portion {
    std::string octets;
    SteadyTime due;
  };
  // One direction.
  struct Way {
    const issuance::Descriptor* from;
    const issuance::Descriptor* to;
    std::deque<Portion> portions = {};
    std::size_t waiting = 0;  // octets
    bool has_ended = false;   // `from` sends no more
    bool is_dropped = false;
  };

  static bool MayRead(const Way& way);
  static void Drop(Way& way);
  static void Read(Way& way, const Conditions& conditions, SteadyTime now, std::mt19937_64& random);
  // False where the other side takes no more.
  static bool Write(Way& way, SteadyTime now);

  issuance::Descriptor client_;
  issuance::Descriptor server_;
  Way requests_;
  Way answers_;
  bool is_half_open_ = false;
  bool is_cut_ = false;
};

}  // namespace hourglass::chaos

#endif  // HOURGLASS_TESTS_CHAOS_LINK_H_
