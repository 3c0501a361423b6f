#include "tools/broker/schedule.h"

#include <algorithm>

#include "tools/agent/backoff.h"

namespace hourglass::broker {
namespace {

using agent::Backoff;
using agent::Stretched;

struct Planner {
  const Plan& before;
  const Instant now;
  const double random;

  Plan operator()(const Issued& issued) const {
    Plan plan;
    plan.expires_at = now + issued.until_expiry;
    plan.tell = true;
    if (issued.until_renewal > absl::ZeroDuration()) {
      plan.ask_at = now + std::min(issued.until_renewal, issued.until_expiry);
    } else {
      plan.failures = before.failures + 1;
      plan.ask_at = now + Backoff(plan.failures, random);
    }
    return plan;
  }

  Plan operator()(const Unavailable& unavailable) const {
    Plan plan = Kept();
    plan.failures = before.failures + 1;
    plan.trouble = unavailable.why;
    plan.tell = plan.trouble != before.trouble;
    plan.new_request_id = false;
    plan.ask_at =
        now + std::max(Backoff(plan.failures, random), Stretched(unavailable.retry_delay, random));
    return plan;
  }

  Plan operator()(const Superseded&) const {
    Plan plan = Kept();
    plan.failures = before.failures + 1;
    plan.trouble = before.trouble;
    plan.ask_at = plan.failures == 1 ? now : now + Backoff(plan.failures, random);
    return plan;
  }

  Plan operator()(const Refused& refused) const {
    Plan plan = Kept();
    plan.trouble = refused.why;
    plan.tell = plan.trouble != before.trouble;
    const absl::Duration pause =
        kShortestRefusedPause + (kLongestRefusedPause - kShortestRefusedPause) * random;
    plan.ask_at = now + std::max(pause, Stretched(refused.retry_delay, random));
    return plan;
  }

 private:
  // The certificate and the key that was made outlive an answer that brought neither.
  Plan Kept() const {
    Plan plan;
    plan.expires_at = before.expires_at;
    plan.new_key = false;
    return plan;
  }
};

}  // namespace

Plan FirstPlan(Instant now, std::optional<Instant> expires_at) {
  Plan plan;
  plan.ask_at = now;
  plan.expires_at = expires_at;
  return plan;
}

Plan AfterAnswer(const Plan& plan, const Outcome& outcome, Instant now, double random) {
  return std::visit(Planner{plan, now, random}, outcome);
}

Step NextStep(const Plan& plan, Instant now) {
  if (plan.expires_at.has_value() && *plan.expires_at <= now) return RemoveCertificate{};
  if (plan.ask_at <= now) return Ask{};
  return WaitUntil{std::min(plan.ask_at, plan.expires_at.value_or(plan.ask_at))};
}

Plan AfterRemoval(const Plan& plan) {
  Plan after = plan;
  after.expires_at.reset();
  return after;
}

}  // namespace hourglass::broker
