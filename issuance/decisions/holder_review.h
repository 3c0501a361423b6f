// Finds whoever holds a certificate that he would not get any more, though nobody reported anything
// and he has not asked: since policies changed, a report became too old, a grace period ended, or
// the directory says something else of him.
#ifndef HOURGLASS_ISSUANCE_DECISIONS_HOLDER_REVIEW_H_
#define HOURGLASS_ISSUANCE_DECISIONS_HOLDER_REVIEW_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "issuance/base/clock.h"
#include "issuance/compliance/engine.h"
#include "issuance/log/event_log.h"
#include "issuance/store/decision_store.h"
#include "issuance/store/journal_store.h"
#include "issuance/store/tenant_store.h"

namespace hourglass::issuance {

struct ReviewLimits {
  // Certificates that a step looks at, of all tenants together.
  int most_certificates = 500;
  // From the beginning of a tenant's round to that of the next, which waits for the end of the
  // first.
  int steps_between = 60;
};

// Goes round the live certificates of tenants, in steps, each of which is bounded. The newest
// certificate of each user on each device was allowed; where ComplianceEngine::Review finds that he
// would be denied another however he signed in, that is an event, once for this certificate
// (UntoldEvent): so it does not matter how many processes go round, nor how often they restart.
// What stands against him by the directory alone counts where it did not when this process first
// saw this certificate. Not for several threads at once.
class HolderReview {
 public:
  // All must outlive this object.
  struct Means {
    TenantStore* tenants;
    JournalStore* journal;
    DecisionStore* decisions;
    ComplianceEngine* engine;
    const Clock* clock;
  };

  // What fails is logged as `holders_not_reviewed`, once until a step succeeds, and the tenant's
  // round begins anew.
  HolderReview(const Means& means, EventLog log, const ReviewLimits& limits = {})
      : means_(means), log_(std::move(log)), limits_(limits) {}

  // One step of the rounds of these tenants, and of those that were named less than `steps_between`
  // steps ago, as who watches may come back; what is known of others is forgotten. A round begins
  // when the tenant's policies have got another revision, which is looked at in each step, of many
  // tenants in each of several; else `steps_between` steps after the last began or the tenant came.
  // Does nothing while the clock is not believed.
  void Step(const std::vector<std::string>& tenants);

 private:
  struct Holder {
    Timestamp newest;  // when his newest certificate was intended
    bool is_told = false;
    // Settings that stood by the directory when the certificate was first seen.
    std::vector<std::string> at_first;
  };
  using Holders = absl::flat_hash_map<std::string, Holder>;
  struct Round {
    Timestamp began;
    std::string page_token;
    Holders holders;
  };
  struct Tenant {
    std::optional<std::uint64_t> revision;
    int due_in = 0;         // steps
    int steps_without = 0;  // since it was named
    std::optional<Round> round;
    Holders holders;  // of the last round that ended
  };

  void Adopt(const std::vector<std::string>& tenants);
  absl::Status BeginDue(Timestamp now);
  absl::Status LookAtRevision(const std::string& tenant_id, Tenant& tenant);
  absl::Status Advance(Timestamp now);
  // Looks at one page of at most `most` certificates; returns how many it has.
  absl::StatusOr<int> Look(const std::string& tenant_id, Tenant& tenant, int most, Timestamp now);
  // What is to be told of the holder, where this is his newest certificate.
  absl::StatusOr<std::optional<UntoldEvent>> EventOf(const JournalRecord& record, Tenant& tenant,
                                                     Timestamp now);

  const Means means_;
  const EventLog log_;
  const ReviewLimits limits_;
  std::size_t steps_ = 0;
  std::map<std::string, Tenant> tenants_;
  std::deque<std::string> turns_;  // of tenants with a round, each once
  bool is_failing_ = false;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_DECISIONS_HOLDER_REVIEW_H_
