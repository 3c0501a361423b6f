#include "tools/gatewayd/following.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "tools/agent/event_log.h"
#include "tools/agent/readiness.h"
#include "tools/agent/trial.h"
#include "tools/client/failure.h"
#include "tools/gatewayd/concern.h"
#include "tools/gatewayd/decision_stream.h"
#include "tools/gatewayd/gateway_state.h"
#include "tools/gatewayd/worker.h"

namespace hourglass::gatewayd {
namespace {

using agent::EventLog;
using agent::Instant;
using agent::Trial;

// So many events wait for a gateway that does not answer; then the service waits too.
constexpr std::size_t kMostPending = 10'000;

// A stream that is opened again whenever it has ended.
class Watch {
 public:
  Watch(const GatewayConfig& config, agent::Waiter& waiter, const EventLog& log,
        const agent::Random& random)
      : config_(config), waiter_(waiter), log_(log), trial_(random) {}

  int event_fd() const { return stream_ == nullptr ? -1 : stream_->event_fd(); }
  // When to look again, event or not.
  Instant at() const { return stream_ == nullptr ? trial_.at() : absl::InfiniteDuration(); }

  // The next event after that of `cursor`; nullopt where none waits.
  std::optional<v1::DecisionEvent> Next(const std::string& cursor) {
    if (stream_ == nullptr && !Open(cursor)) return std::nullopt;
    // In this order: what came before the end is taken.
    const std::optional<absl::Status> ended = stream_->Ended();
    std::optional<v1::DecisionEvent> event = stream_->Take();
    if (!event.has_value() && ended.has_value()) End(*ended);
    return event;
  }

  // Whether the stream ended because the service does not know the cursor; is told once.
  bool TakeCursorUnknown() { return std::exchange(cursor_unknown_, false); }

 private:
  bool Open(const std::string& cursor) {
    if (!trial_.Due(waiter_.Now())) return false;
    auto opened = WatchDecisions(config_.connection, config_.tenant, cursor);
    opened_at_ = waiter_.Now();
    if (opened.ok()) {
      stream_ = *std::move(opened);
    } else {
      End(opened.status());
    }
    return stream_ != nullptr;
  }

  void End(const absl::Status& status) {
    stream_.reset();
    const Instant now = waiter_.Now();
    if (ReasonOf(status) == ErrorReason::kCursorUnknown) {
      cursor_unknown_ = true;
      return trial_.Begin(now);
    }
    const bool lasted = now - opened_at_ >= agent::kLongestBackoff;
    if (lasted) trial_.Succeeded();
    if (status.ok() && lasted) return trial_.Begin(now);
    // A stream that ends in order but at once is opened again less and less often, too.
    if (trial_.Failed(status, now) && !status.ok() && !waiter_.stopping()) {
      log_.TellFailure("unavailable", status, trial_.InWords(now));
    }
  }

  const GatewayConfig& config_;
  agent::Waiter& waiter_;
  const EventLog& log_;
  Trial trial_;
  std::unique_ptr<DecisionStream> stream_;
  Instant opened_at_ = absl::ZeroDuration();
  bool cursor_unknown_ = false;
};

// A gateway's worker, and what is known of it.
struct Hand {
  std::unique_ptr<Worker> worker;
  std::uint64_t done = 0;  // events since the start
  std::string trouble;     // why it is tried again, or empty
};

class Follower {
 public:
  Follower(const GatewayConfig& config, bool json, agent::Waiter& waiter,
           const agent::Random& random)
      : config_(config),
        waiter_(waiter),
        log_(json, EventLog::Failures::kOnStandardError),
        events_(config, waiter, log_, random),
        earlier_(config, waiter, log_, random),
        saving_(random),
        reported_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    for (std::unique_ptr<Gateway>& gateway : MakeGateways(config)) {
      hands_.push_back({.worker = std::make_unique<Worker>(
                            std::move(gateway), reported_,
                            [](int failures) { return agent::Backoff(failures, 0); }),
                        .done = 0,
                        .trouble = ""});
    }
  }
  ~Follower() {
    hands_.clear();
    close(reported_);
  }
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;

  absl::Status Run() {
    waiter_.OnStraySignal([this](const std::string& name, int pid) {
      log_.Tell("signal_ignored", absl::StrCat("ignored ", name, " of process ", pid),
                {{"signal", name}, {"pid", pid}});
    });
    ASSIGN_OR_RETURN(state_, LoadState(config_.state, config_.tenant));
    // What cannot be noted later is said now.
    RETURN_IF_ERROR(SaveState(config_.state, state_));
    ASSIGN_OR_RETURN(agent::Readiness readiness, agent::Readiness::Create());
    cursor_ = state_.cursor;
    until_ = state_.cursor;
    TellStart();
    while (!waiter_.stopping()) {
      TakeReports();
      TakeEvents();
      TakeEarlier();
      Save();
      readiness.Await({reported_, pending_.size() < kMostPending ? events_.event_fd() : -1,
                       until_.empty() ? -1 : earlier_.event_fd()});
      waiter_.Wait(NextInstant(), readiness.fd());
    }
    log_.Tell("stopped", "told to stop; what is not carried out is, at the next start");
    return absl::OkStatus();
  }

 private:
  Instant NextInstant() const {
    Instant next = events_.at();
    if (!until_.empty()) next = std::min(next, earlier_.at());
    if (is_unsaved_) next = std::min(next, saving_.at());
    return next;
  }

  void TellStart() const {
    std::vector<std::string> names;
    for (const Hand& hand : hands_) names.push_back(hand.worker->name());
    log_.Tell("started",
              absl::StrCat("following the decisions of ", config_.tenant,
                           state_.cursor.empty() ? " from the oldest that is kept"
                                                 : absl::StrCat(" after ", state_.cursor)),
              {{"tenant_id", config_.tenant}, {"cursor", state_.cursor}, {"gateways", names}});
  }

  void Distribute(const v1::DecisionEvent& event, bool is_again) {
    const absl::Time now = absl::Now();
    const Task task = {.concern = ConcernOf(event, now), .came = now, .is_again = is_again};
    for (const Hand& hand : hands_) hand.worker->Add(task);
  }

  void TakeEvents() {
    while (pending_.size() < kMostPending && !waiter_.stopping()) {
      const std::optional<v1::DecisionEvent> event = events_.Next(cursor_);
      if (events_.TakeCursorUnknown()) {
        log_.Tell("began_anew",
                  absl::StrCat("the service does not know ", cursor_,
                               ": beginning with the oldest event that is kept"),
                  {{"cursor", cursor_}});
        cursor_.clear();
        until_.clear();
        continue;
      }
      if (!event.has_value()) return;
      cursor_ = event->cursor();
      pending_.push_back(cursor_);
      Distribute(*event, /*is_again=*/false);
    }
  }

  // Up to the one that was carried out last when this began, which is the last of them.
  void TakeEarlier() {
    while (!until_.empty() && !waiter_.stopping()) {
      const std::optional<v1::DecisionEvent> event = earlier_.Next(again_);
      if (earlier_.TakeCursorUnknown()) {
        again_.clear();
        continue;
      }
      if (!event.has_value()) return;
      again_ = event->cursor();
      if (event->certificates_size() > 0) Distribute(*event, /*is_again=*/true);
      // Or one that was carried out since: the service keeps `until_` no more.
      if (again_ == until_ || again_ == state_.cursor) {
        until_.clear();
        log_.Tell("checked_again", "what was carried out before was looked through again");
      }
    }
  }

  void TakeReports() {
    eventfd_t count = 0;
    eventfd_read(reported_, &count);
    for (Hand& hand : hands_) {
      while (const std::optional<Report> report = hand.worker->Take()) Take(hand, *report);
    }
    const auto slowest =
        std::min_element(hands_.begin(), hands_.end(),
                         [](const Hand& one, const Hand& other) { return one.done < other.done; });
    for (; carried_out_ < slowest->done; ++carried_out_) {
      state_.cursor = pending_.front();
      pending_.pop_front();
      is_unsaved_ = true;
    }
  }

  void Take(Hand& hand, const Report& report) {
    const std::string& gateway = hand.worker->name();
    for (const Told& told : report.ended) {
      log_.Tell("ended",
                absl::StrCat(
                    gateway, ": ended ", told.what, " for ", told.event,
                    absl::StrFormat("; %.3f s after it came", absl::ToDoubleSeconds(told.after))),
                {{"gateway", gateway},
                 {"tunnel", told.what},
                 {"by", told.how == Match::kByCertificate ? "certificate" : "name"},
                 {"cause", told.event},
                 {"cursor", told.cursor},
                 {"after_seconds", absl::ToDoubleSeconds(told.after)}});
    }
    for (const Told& told : report.not_told) Tell("not_ended", gateway, told, told.what);
    for (const Told& told : report.given_up) {
      Tell("given_up", gateway, told, "it did not answer until all that this concerned had ended");
    }
    hand.done += report.done;
    const std::string trouble = report.status.ok() ? "" : client::FailureInWords(report.status);
    if (!trouble.empty() && trouble != hand.trouble) {
      log_.TellFailure("gateway_unavailable", report.status,
                       absl::StrCat(gateway,
                                    " is tried again, less and less often, silently while "
                                    "nothing changes"));
    } else if (trouble.empty() && !hand.trouble.empty()) {
      log_.Tell("gateway_available", absl::StrCat(gateway, " answers again"),
                {{"gateway", gateway}});
    }
    hand.trouble = trouble;
  }

  void Tell(absl::string_view event, const std::string& gateway, const Told& told,
            absl::string_view why) const {
    log_.Tell(event, absl::StrCat(gateway, ": nothing ended for ", told.event, ": ", why),
              {{"gateway", gateway},
               {"why", std::string(why)},
               {"cause", told.event},
               {"cursor", told.cursor}});
  }

  void Save() {
    if (!is_unsaved_ || !saving_.Due(waiter_.Now())) return;
    const absl::Status status = SaveState(config_.state, state_);
    if (status.ok()) {
      saving_.Succeeded();
      is_unsaved_ = false;
      log_.Tell("carried_out", absl::StrCat("carried out up to ", state_.cursor),
                {{"cursor", state_.cursor}});
    } else if (saving_.Failed(status, waiter_.Now())) {
      log_.TellFailure("state_not_saved", status, saving_.InWords(waiter_.Now()));
    }
  }

  const GatewayConfig& config_;
  agent::Waiter& waiter_;
  const EventLog log_;
  Watch events_;
  Watch earlier_;
  Trial saving_;
  const int reported_;
  std::vector<Hand> hands_;
  GatewayState state_;
  bool is_unsaved_ = false;
  std::string cursor_;               // of the last event that came
  std::deque<std::string> pending_;  // of the events that are not carried out everywhere
  std::uint64_t carried_out_ = 0;    // events since the start
  std::string until_;                // where `earlier_` ends; empty: it has
  std::string again_;                // of the last event that came through `earlier_`
};

}  // namespace

absl::Status Follow(const GatewayConfig& config, bool json, agent::Waiter& waiter,
                    const agent::Random& random) {
  return Follower(config, json, waiter, random).Run();
}

}  // namespace hourglass::gatewayd
