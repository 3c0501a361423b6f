#include "issuance/services/access/decision_watch.h"

#include <chrono>
#include <deque>
#include <iterator>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "ca/encoding/digest.h"
#include "hsm/base/status_macros.h"
#include "issuance/decisions/event_cursor.h"
#include "issuance/decisions/live_certificates.h"
#include "issuance/services/access/decision_mapper.h"
#include "issuance/timekeeping/deciding_time.h"

namespace hourglass::issuance {
namespace {

constexpr int kMostReadTogether = 20;

class EventSource final : public WatchSource<v1::DecisionEvent> {
 public:
  EventSource(const DecisionSources& sources, const v1::WatchDecisionsRequest& asked)
      : sources_(sources), tenant_id_(asked.tenant_id()), cursor_(asked.cursor()) {}

  absl::StatusOr<bool> HasNext() override;
  absl::StatusOr<v1::DecisionEvent> TakeNext() override;
  bool MayHaveMore() const override { return true; }
  bool NotesWhatIsSent() const override { return false; }

 private:
  absl::Status FindStart();

  const DecisionSources& sources_;
  const std::string tenant_id_;
  const std::string cursor_;           // as the caller named it
  std::optional<std::uint64_t> sent_;  // the last event, or the one of the cursor
  std::deque<DecisionEvent> next_;     // those that were read together
};

absl::Status EventSource::FindStart() {
  RETURN_IF_ERROR(sources_.tenants->GetTenant(tenant_id_).status());
  sent_ = 0;
  if (cursor_.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(sent_, SequenceAt(*sources_.decisions, tenant_id_, cursor_));
  return absl::OkStatus();
}

absl::StatusOr<bool> EventSource::HasNext() {
  if (!sent_.has_value()) RETURN_IF_ERROR(FindStart());
  if (next_.empty()) {
    ASSIGN_OR_RETURN(std::vector<DecisionEvent> events,
                     sources_.decisions->ListEvents(tenant_id_, *sent_, kMostReadTogether));
    next_.assign(std::make_move_iterator(events.begin()), std::make_move_iterator(events.end()));
  }
  return !next_.empty();
}

absl::StatusOr<v1::DecisionEvent> EventSource::TakeNext() {
  ASSIGN_OR_RETURN(v1::DecisionEvent event, Told(sources_, next_.front()));
  sent_ = next_.front().sequence;
  next_.pop_front();
  return event;
}

}  // namespace

absl::StatusOr<v1::DecisionEvent> Told(const DecisionSources& sources, const DecisionEvent& event) {
  v1::DecisionEvent proto = ToProto(event);
  // What is live is not told by a clock that leapt, and a block is told all the same.
  const absl::StatusOr<Timestamp> now = DecidingTime(*sources.clock);
  if (!now.ok()) return proto;
  ASSIGN_OR_RETURN(const ConcernedCertificates concerned,
                   CertificatesConcerned(*sources.journal, event, *now));
  proto.set_certificates_complete(concerned.is_complete);
  std::map<std::string, std::string> roots;  // their hashes, by id
  for (const JournalRecord& record : concerned.records) {
    const auto [root, is_new] = roots.try_emplace(record.intent.root_id);
    if (is_new) {
      ASSIGN_OR_RETURN(const RootRecord found,
                       sources.tenants->GetRoot(event.tenant_id, record.intent.root_id));
      root->second = ca::Sha256(found.certificate);
    }
    *proto.add_certificates() = ToProto(record, root->second);
  }
  return proto;
}

DecisionWatches::DecisionWatches(CallRunner* calls, const DecisionSources& sources)
    : sources_(sources),
      streams_(calls, "WatchDecisions",
               [this](const Caller&, const v1::WatchDecisionsRequest& asked) {
                 return std::make_unique<EventSource>(sources_, asked);
               }),
      looking_(std::chrono::seconds(1), [this] { Look(); }) {}

void DecisionWatches::Look() {
  if (streams_.Tenants().empty()) return;
  // Where it fails the streams fail too, when they have something to look for.
  const auto newest = sources_.decisions->NewestEvents();
  if (!newest.ok()) return;
  // Asked anew: who came before the newest was read may have looked before it was written.
  for (const std::string& tenant_id : streams_.Tenants()) {
    const auto found = newest->find(tenant_id);
    if (found == newest->end() || newest_[tenant_id] == found->second) continue;
    streams_.Wake(tenant_id);
  }
  newest_ = *newest;
}

}  // namespace hourglass::issuance
