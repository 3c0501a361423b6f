// hourglass-compliance: the embedded compliance engine as a service of its own.
#ifndef HOURGLASS_ISSUANCE_SERVER_COMPLIANCE_SERVER_H_
#define HOURGLASS_ISSUANCE_SERVER_COMPLIANCE_SERVER_H_

#include <memory>

#include "absl/status/statusor.h"
#include "issuance/base/clock.h"
#include "issuance/base/entropy.h"
#include "issuance/config/config.h"
#include "issuance/log/event_log.h"
#include "issuance/server/server.h"
#include "issuance/timekeeping/kernel_time.h"

namespace hourglass::issuance {

// Opens the store and serves behind a mutual-TLS listener: verdicts, and what they are made of,
// devices, policies, blocks, the directory, tenants. Has no keys, issues nothing, serves no
// metrics. `config` is of Program::kCompliance. `clock`, `kernel`, `entropy` and `log` must outlive
// the server. Errors: as Server::Start.
absl::StatusOr<std::unique_ptr<Server>> StartComplianceServer(const Config& config,
                                                              const Clock* clock,
                                                              const KernelTime* kernel,
                                                              Entropy* entropy,
                                                              const EventLog* log);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVER_COMPLIANCE_SERVER_H_
