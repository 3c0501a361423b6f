#include "tools/bundle/following.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hsm/base/status_macros.h"
#include "tools/agent/event_log.h"
#include "tools/agent/trial.h"
#include "tools/bundle/bundle_service.h"
#include "tools/bundle/kept_bundle.h"
#include "tools/client/failure.h"

namespace hourglass::bundle {
namespace {

using agent::EventLog;
using agent::Instant;
using agent::Trial;

// One follower that runs. Two things go on beside each other: the stream that brings bundles, and
// the settling of the one that was accepted last.
class Follower {
 public:
  Follower(const Options& options, const client::ConnectionConfig& config, agent::Waiter& waiter,
           const agent::Random& random)
      : options_(options),
        config_(config),
        waiter_(waiter),
        log_(options.json, EventLog::Failures::kOnStandardError),
        kept_(options, config, waiter, log_),
        watching_(random),
        settling_(random) {}

  absl::Status Run() {
    waiter_.OnStraySignal([this](const std::string& name, int pid) {
      log_.Tell("signal_ignored", absl::StrCat("ignored ", name, " of process ", pid),
                {{"signal", name}, {"pid", pid}});
    });
    RETURN_IF_ERROR(kept_.Load());
    while (!waiter_.stopping()) {
      Watch();
      if (!kept_.settled() && settling_.Due(waiter_.Now())) Settle();
      waiter_.Wait(NextInstant(), stream_ != nullptr ? stream_->event_fd() : -1);
    }
    log_.Tell("stopped", "told to stop; the files stay as they are");
    return absl::OkStatus();
  }

 private:
  Instant NextInstant() const {
    Instant next = absl::InfiniteDuration();
    if (stream_ == nullptr) next = watching_.at();
    if (stream_ != nullptr && !came_) next = opened_at_ + config_.timeout;
    if (!kept_.settled()) next = std::min(next, settling_.at());
    return next;
  }

  void Watch() {
    if (stream_ == nullptr && !OpenStream()) return;
    // In this order: what came before the end is taken.
    const std::optional<absl::Status> ended = stream_->Ended();
    const std::optional<v1::TrustBundle> bundle = stream_->Take();
    if (bundle.has_value()) Take(*bundle);
    if (ended.has_value()) {
      StreamEnded(*ended);
    } else if (!came_ && waiter_.Now() >= opened_at_ + config_.timeout) {
      StreamEnded(
          absl::DeadlineExceededError(absl::StrCat("no bundle from ", config_.server, " in time")));
    }
  }

  bool OpenStream() {
    if (!watching_.Due(waiter_.Now())) return false;
    auto opened = WatchBundles(config_, options_.tenant);
    opened_at_ = waiter_.Now();
    came_ = false;
    if (opened.ok()) {
      stream_ = *std::move(opened);
    } else {
      StreamEnded(opened.status());
    }
    return stream_ != nullptr;
  }

  void StreamEnded(const absl::Status& status) {
    stream_.reset();
    const Instant now = waiter_.Now();
    const bool lasted = came_ && now - opened_at_ >= agent::kLongestBackoff;
    if (lasted) watching_.Succeeded();
    if (status.ok() && lasted) return watching_.Begin(now);
    // A stream that ends in order but at once is opened again less and less often, too.
    if (watching_.Failed(status, now) && !status.ok() && !waiter_.stopping()) {
      log_.TellFailure("unavailable", status, TriedAgain(watching_));
    }
  }

  void Take(const v1::TrustBundle& bundle) {
    came_ = true;
    const absl::StatusOr<bool> is_new = kept_.Take(bundle);
    if (!is_new.ok()) return TellRefused(is_new.status());
    refused_.clear();
    if (!*is_new) return;
    settling_.Succeeded();
    settling_.Begin(waiter_.Now());
  }

  void TellRefused(const absl::Status& status) {
    const std::string before = std::exchange(refused_, client::FailureInWords(status));
    if (refused_ == before) return;
    log_.TellFailure("refused", status, absl::StrCat(options_.out, " stays as it is"));
  }

  void Settle() {
    const absl::Status status = kept_.Settle();
    if (waiter_.stopping()) return;
    if (status.ok()) {
      settling_.Succeeded();
    } else if (settling_.Failed(status, waiter_.Now())) {
      log_.TellFailure(kept_.failed_step(), status, TriedAgain(settling_));
    }
  }

  std::string TriedAgain(const Trial& trial) const { return trial.InWords(waiter_.Now()); }

  const Options& options_;
  const client::ConnectionConfig& config_;
  agent::Waiter& waiter_;
  const EventLog log_;
  KeptBundle kept_;
  Trial watching_;
  Trial settling_;
  std::unique_ptr<BundleStream> stream_;
  Instant opened_at_ = absl::ZeroDuration();
  bool came_ = false;    // a bundle, through stream_
  std::string refused_;  // why the last one was, or empty
};

}  // namespace

absl::Status FollowOnce(const Options& options, const client::ConnectionConfig& config,
                        agent::Waiter& waiter) {
  const EventLog log(options.json, EventLog::Failures::kOnStandardError);
  KeptBundle kept(options, config, waiter, log);
  RETURN_IF_ERROR(kept.Load());
  const absl::StatusOr<v1::TrustBundle> newest = GetBundle(config, options.tenant, waiter);
  if (waiter.stopping()) return absl::CancelledError("told to stop");
  absl::Status status = newest.ok() ? kept.Take(*newest).status() : newest.status();
  if (!status.ok()) {
    const absl::Status here = kept.SettleHere();
    if (!here.ok()) log.TellFailure(kept.failed_step(), here, "the next run tries again");
    return status;
  }
  status = kept.Settle();
  return waiter.stopping() ? absl::CancelledError("told to stop") : status;
}

absl::Status Follow(const Options& options, const client::ConnectionConfig& config,
                    agent::Waiter& waiter, const agent::Random& random) {
  return Follower(options, config, waiter, random).Run();
}

}  // namespace hourglass::bundle
