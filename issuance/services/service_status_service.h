// The gRPC method that says how the service itself stands.
#ifndef HOURGLASS_ISSUANCE_SERVICES_SERVICE_STATUS_SERVICE_H_
#define HOURGLASS_ISSUANCE_SERVICES_SERVICE_STATUS_SERVICE_H_

#include <string>

#include "hourglass/v1/service_status.grpc.pb.h"
#include "issuance/base/clock.h"
#include "issuance/calls/call_runner.h"
#include "issuance/calls/unary_service.h"
#include "issuance/compliance/compliance_counts.h"
#include "issuance/store/replica_directory.h"
#include "issuance/timekeeping/compared_clock.h"

namespace hourglass::issuance {

// v1::ServiceStatusService over the directory of replicas.
class ServiceStatusService final : public UnaryService<v1::ServiceStatusService> {
 public:
  // What it tells of; all must outlive the service.
  struct Subjects {
    ReplicaRecord own;  // the process that answers
    const Clock* clock;
    // Of the replicas on one database, and this one's clock among theirs; both null with SQLite.
    ReplicaDirectory* directory = nullptr;
    const ComparedClock* compared = nullptr;
    bool standby_waived = false;
    // Of a compliance service elsewhere; empty and null where there is none.
    std::string compliance_endpoint = {};
    const ComplianceCounts* compliance = nullptr;
  };

  ServiceStatusService(CallRunner* calls, Subjects subjects) : subjects_(std::move(subjects)) {
    Serve(calls, this, "GetServiceStatus", &ServiceStatusService::GetServiceStatus);
  }

  absl::Status GetServiceStatus(const Caller& caller, const v1::GetServiceStatusRequest& request,
                                v1::ServiceStatus* response);

 private:
  void AddOwn(v1::ServiceStatus* response) const;
  void AddDatabase(v1::ServiceStatus* response) const;
  void AddReplicas(v1::ServiceStatus* response) const;
  void AddCompliance(v1::ServiceStatus* response) const;

  const Subjects subjects_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVICES_SERVICE_STATUS_SERVICE_H_
