#include "tests/history/checker.h"

#include <map>
#include <string>
#include <vector>

#include "tests/history/certificate_check.h"
#include "tests/history/delivery_check.h"
#include "tests/history/error_check.h"
#include "tests/history/fence_check.h"
#include "tests/history/primacy.h"

namespace hourglass::history {
namespace {

struct TenantCalls {
  std::vector<const IssueCall*> issuing;
  std::vector<const AdministrativeCall*> administration;
};

void CheckTenant(const TenantHistory& tenant, const TenantCalls& calls, bool logs_are_whole,
                 const CheckOptions& options, std::vector<Violation>* violations) {
  const RecordsByRequest records = IndexRecords(tenant, violations);
  CheckReceived(tenant, calls.issuing, records, violations);
  if (logs_are_whole) CheckAsked(tenant, calls.issuing, violations);
  CheckSerialNumbers(tenant, calls.issuing, records, violations);
  CheckCertificates(tenant, options.threads, violations);
  const Primacy primacy = ReplayActions(tenant, calls.administration, violations);
  CheckEpochs(tenant, primacy, violations);
  CheckRealTime(calls.issuing, records, primacy, violations);
  CheckErrors(calls.issuing, violations);
  CheckErrors(calls.administration, violations);
  CheckPrimaryChanged(calls.issuing, records, primacy, options.news_delay, violations);
}

}  // namespace

std::vector<Violation> Check(const History& history, const CheckOptions& options) {
  std::map<std::string, TenantCalls> calls;
  for (const IssueCall& call : history.issuing) {
    calls[call.call.tenant_id].issuing.push_back(&call);
  }
  for (const AdministrativeCall& call : history.administration) {
    calls[call.call.tenant_id].administration.push_back(&call);
  }
  std::vector<Violation> violations;
  for (const TenantHistory& tenant : history.tenants) {
    CheckTenant(tenant, calls[tenant.tenant_id], history.logs_are_whole, options, &violations);
    calls.erase(tenant.tenant_id);
  }
  for (const auto& [tenant_id, unknown] : calls) {
    TenantHistory nothing;
    nothing.tenant_id = tenant_id;
    CheckTenant(nothing, unknown, history.logs_are_whole, options, &violations);
  }
  return violations;
}

}  // namespace hourglass::history
