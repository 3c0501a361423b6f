#include "issuance/store/transfer/decision_parts.h"

namespace hourglass::issuance {
namespace {

constexpr CellKind kInteger = CellKind::kInteger, kText = CellKind::kText,
                   kOctets = CellKind::kOctets;

}  // namespace

Part RefusalPart() {
  return {"refusals",
          "refusals",
          "refusals",
          1,
          {{"sequence", kInteger},
           {"tenant_id", kText},
           {"verdict_id", kText},
           {"at", kInteger},
           {"caller", kText},
           {"user_id", kText},
           {"user_upn", kText},
           {"folded_upn", kText},
           {"device_id", kText},
           {"request_id", kText},
           {"policy_version", kText},
           {"reasons", kOctets}}};
}

Part NewestEventPart() {
  return {"newest events",
          "newest_decision_events",
          "newest_decision_events",
          1,
          {{"tenant_id", kText}, {"sequence", kInteger}}};
}

Part EventPart() {
  return {"events",
          "decision_events",
          "decision_events",
          2,
          {{"tenant_id", kText},
           {"sequence", kInteger},
           {"kind", kText},
           {"at", kInteger},
           {"device_id", kText},
           {"user_id", kText},
           {"user_upn", kText},
           {"folded_upn", kText},
           {"verdict_id", kText},
           {"reason", kText},
           {"reasons", kOctets}}};
}

}  // namespace hourglass::issuance
