// The whole service in the test's process: a real mutual-TLS listener on a free port, SQLite in a
// temporary folder, the embedded compliance engine, software keys unless a test configures a token.
#ifndef HOURGLASS_TESTS_SUPPORT_SERVICE_IN_PROCESS_H_
#define HOURGLASS_TESTS_SUPPORT_SERVICE_IN_PROCESS_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "issuance/base/entropy.h"
#include "issuance/config/config.h"
#include "issuance/log/event_log.h"
#include "issuance/server/server.h"
#include "tests/support/manual_clock.h"
#include "tests/support/manual_kernel_time.h"
#include "tests/support/service_client.h"
#include "tests/support/temporary_directory.h"

namespace hourglass {

class ServiceInProcess : public ServiceClient {
 public:
  // `adjust` may change the configuration before the service starts. Ends the process where it does
  // not start.
  explicit ServiceInProcess(const std::function<void(issuance::Config&)>& adjust = {});

  // The time, which the machine's uptime goes with.
  ManualClock& clock() { return clock_; }
  ManualKernelTime& machine() { return machine_; }
  const issuance::Config& config() const { return config_; }

  // The administrator says that the clock is right as it is. Ends the process on failure.
  void AcceptClock();

  // Stops the service gracefully and starts it anew on the same data.
  void Restart();

  // The policy of a tenant, YAML; contoso and fabrikam have kTestPolicy.
  void WritePolicy(absl::string_view tenant_id, absl::string_view yaml);

 private:
  void Start();

  TemporaryDirectory directory_;
  ManualClock clock_;
  ManualKernelTime machine_{&clock_};
  issuance::SystemEntropy entropy_;
  issuance::EventLog log_;
  issuance::Config config_;
  std::unique_ptr<issuance::Server> server_;
};

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_SUPPORT_SERVICE_IN_PROCESS_H_
