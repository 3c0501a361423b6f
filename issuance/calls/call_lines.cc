#include "issuance/calls/call_lines.h"

#include <algorithm>
#include <utility>

namespace hourglass::issuance {

struct CallLines::Line {
  std::string caller;
  std::deque<Call> calls;
  int running = 0;
  bool in_turns = false;
};

CallLines::CallLines(const Limits& limits) : limits_(limits) {}

CallLines::~CallLines() = default;

bool CallLines::Add(absl::string_view caller, Call call) {
  const auto found = lines_.find(caller);
  const std::size_t its = found == lines_.end() ? 0 : found->second->calls.size();
  if (its >= limits_.waiting_of_a_caller) return false;
  if (waiting_ >= limits_.waiting) {
    const std::size_t sharers = callers_waiting_ + (its == 0 ? 1 : 0);
    const std::size_t fair_share = std::max<std::size_t>(1, limits_.waiting / sharers);
    if (its >= fair_share || waiting_ >= 2 * limits_.waiting) return false;
  }
  std::unique_ptr<Line>& line = found == lines_.end() ? lines_[std::string(caller)] : found->second;
  if (line == nullptr) {
    line = std::make_unique<Line>();
    line->caller = std::string(caller);
  }
  line->calls.push_back(std::move(call));
  ++waiting_;
  if (its == 0) ++callers_waiting_;
  TakeTurn(*line);
  return true;
}

void CallLines::TakeTurn(Line& line) {
  if (line.in_turns || line.calls.empty() || line.running >= limits_.running_of_a_caller) return;
  line.in_turns = true;
  turns_.push_back(&line);
}

CallLines::Taken CallLines::Take() {
  Line& line = *turns_.front();
  turns_.pop_front();
  line.in_turns = false;
  Taken taken = {line.caller, std::move(line.calls.front())};
  line.calls.pop_front();
  --waiting_;
  if (line.calls.empty()) --callers_waiting_;
  ++line.running;
  TakeTurn(line);
  return taken;
}

void CallLines::End(absl::string_view caller) {
  const auto found = lines_.find(caller);
  Line& line = *found->second;
  --line.running;
  TakeTurn(line);
  if (line.running == 0 && line.calls.empty()) lines_.erase(found);
}

}  // namespace hourglass::issuance
