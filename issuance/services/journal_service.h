// The gRPC methods of the journal.
#ifndef HOURGLASS_ISSUANCE_SERVICES_JOURNAL_SERVICE_H_
#define HOURGLASS_ISSUANCE_SERVICES_JOURNAL_SERVICE_H_

#include "hourglass/v1/journal.grpc.pb.h"
#include "issuance/base/clock.h"
#include "issuance/calls/call_runner.h"
#include "issuance/calls/unary_service.h"
#include "issuance/store/administrative_journal_store.h"
#include "issuance/store/journal_store.h"
#include "issuance/store/tenant_store.h"

namespace hourglass::issuance {

// v1::JournalService over the store.
class JournalService final : public UnaryService<v1::JournalService> {
 public:
  // All must outlive this object.
  JournalService(CallRunner* calls, TenantStore* tenants, JournalStore* journal,
                 AdministrativeJournalStore* actions, const Clock* clock)
      : tenants_(tenants), journal_(journal), actions_(actions), clock_(clock) {
    Serve(calls, this, "ListCertificates", &JournalService::ListCertificates);
    Serve(calls, this, "GetCertificate", &JournalService::GetCertificate);
    Serve(calls, this, "ListAdministrativeActions", &JournalService::ListAdministrativeActions);
  }

  // Errors: what v1::JournalService documents; of what is live, CLOCK_UNTRUSTED while the clock is
  // not believed.
  absl::Status ListCertificates(const Caller& caller, const v1::ListCertificatesRequest& request,
                                v1::ListCertificatesResponse* response);
  absl::Status GetCertificate(const Caller& caller, const v1::GetCertificateRequest& request,
                              v1::JournalEntry* response);
  absl::Status ListAdministrativeActions(const Caller& caller,
                                         const v1::ListAdministrativeActionsRequest& request,
                                         v1::ListAdministrativeActionsResponse* response);

 private:
  TenantStore* const tenants_;
  JournalStore* const journal_;
  AdministrativeJournalStore* const actions_;
  const Clock* const clock_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVICES_JOURNAL_SERVICE_H_
