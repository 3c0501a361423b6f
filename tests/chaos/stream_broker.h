// A token broker that carries many devices: it asks by streams.
#ifndef HOURGLASS_TESTS_CHAOS_STREAM_BROKER_H_
#define HOURGLASS_TESTS_CHAOS_STREAM_BROKER_H_

#include <chrono>
#include <cstddef>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "tests/chaos/broker.h"
#include "tests/chaos/cell.h"
#include "tests/chaos/chance.h"
#include "tests/chaos/request_stream.h"

namespace hourglass::chaos {

// One stream after the other, with several requests under way in each. Some streams it cuts in the
// middle. What is unanswered or refused for now is asked again by the next stream, to another
// replica, under the same request id; after PRIMARY_CHANGED under a new one. Some requests are
// asked for again after their answer. For one thread.
class StreamBroker {
 public:
  explicit StreamBroker(Broker::Options options);

  // Until the end has begun, and the last request is answered or lost.
  void Run(Ending& ending);

  // As Broker's.
  const std::vector<std::chrono::microseconds>& times() const { return times_; }
  int lost() const { return lost_; }
  // What the last lost request met, or what was wrong with a stream.
  const std::string& last_failure() const { return last_failure_; }
  int streams() const { return streams_; }
  // Of these, ended while requests had no answer, by this broker or by what it met.
  int broken_streams() const { return broken_streams_; }

 private:
  struct Wish {
    std::string request_id;
    std::chrono::steady_clock::time_point since;  // when it was first asked for
    bool is_again = false;                        // has its certificate already
  };

  void RunStream(Ending& ending);
  // Sends until so many are under way, or the stream had its share, or nothing is wished for.
  void Fill(RequestStream& stream, int& share, Ending& ending);
  Wish NextWish();
  void Take(const RequestStream::Answer& answer);
  void Lose(std::string failure);

  const Broker::Options options_;
  Chance chance_;
  Connections connections_;
  int replica_ = 0;  // of the last stream
  int named_ = 0;
  std::deque<Wish> wishes_;            // to be asked for again
  std::map<std::string, Wish> asked_;  // under way, by request id
  std::deque<Wish> answered_;
  std::vector<std::chrono::microseconds> times_;
  int lost_ = 0;
  std::string last_failure_;
  int streams_ = 0;
  int broken_streams_ = 0;
};

}  // namespace hourglass::chaos

#endif  // HOURGLASS_TESTS_CHAOS_STREAM_BROKER_H_
