// The whole service in the test's process: a real mutual-TLS listener on a free port, SQLite in a
// temporary folder, the embedded compliance engine, software keys unless a test configures a token.
#ifndef HOURGLASS_TESTS_SUPPORT_TEST_SERVICE_H_
#define HOURGLASS_TESTS_SUPPORT_TEST_SERVICE_H_

#include <grpcpp/grpcpp.h>

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "hourglass/v1/devices.grpc.pb.h"
#include "hourglass/v1/issuance.grpc.pb.h"
#include "hourglass/v1/journal.grpc.pb.h"
#include "hourglass/v1/roots.grpc.pb.h"
#include "hourglass/v1/tenants.grpc.pb.h"
#include "issuance/config.h"
#include "issuance/entropy.h"
#include "issuance/event_log.h"
#include "issuance/server.h"
#include "tests/support/manual_clock.h"
#include "tests/support/mutual_tls.h"
#include "tests/support/temporary_directory.h"

namespace hourglass {

// The callers of the configuration, by name. All tenants unless said otherwise.
inline constexpr char kAdministrator[] = "administrator";
inline constexpr char kBroker[] = "broker";             // tenant contoso only
inline constexpr char kWideBroker[] = "wide-broker";    // every tenant
inline constexpr char kOtherBroker[] = "other-broker";  // tenant fabrikam only
inline constexpr char kAuditor[] = "auditor";
inline constexpr char kDeviceReporter[] = "device-reporter";  // tenant contoso only
// Its certificate is good, but the configuration does not know it.
inline constexpr char kStranger[] = "stranger";

// Not for several threads at once, but the stubs are.
class TestService {
 public:
  // `adjust` may change the configuration before the service starts. Ends the process where it does
  // not start.
  explicit TestService(std::function<void(issuance::Config&)> adjust = {});
  ~TestService();

  ManualClock& clock() { return clock_; }
  const issuance::Config& config() const { return config_; }
  const TemporaryDirectory& directory() const { return directory_; }
  MutualTls& tls() { return tls_; }

  // `host:port`.
  const std::string& address() const { return server_->address(); }

  // Stops the service gracefully and starts it anew on the same data.
  void Restart();

  // A connection as one of the callers above.
  std::shared_ptr<grpc::Channel> ChannelAs(absl::string_view caller);

  template <typename Service>
  std::unique_ptr<typename Service::Stub> As(absl::string_view caller) {
    return Service::NewStub(ChannelAs(caller));
  }

  // The policy of a tenant, YAML; contoso and fabrikam have one that demands disk encryption.
  void WritePolicy(absl::string_view tenant_id, absl::string_view yaml);

  // What most tests begin with. Each ends the process on failure.
  void CreateTenant(absl::string_view tenant_id = "contoso");
  v1::Root CreateRoot(absl::string_view tenant_id = "contoso", bool make_primary = true,
                      v1::KeyType key_type = v1::EC_P256);
  void ReportDevice(absl::string_view tenant_id, absl::string_view device_id, bool encrypted);
  // All three: tenant contoso, a primary, and laptop-1 in order.
  void MakeReady();

  // A sound request of alice on laptop-1 of contoso for a new P-256 key, under a request id of its
  // own.
  v1::IssueCertificateRequest Request();

  // The number of the tenant's journal entries.
  int JournalSize(absl::string_view tenant_id = "contoso");

 private:
  void Start();

  TemporaryDirectory directory_;
  MutualTls tls_;
  ManualClock clock_;
  issuance::SystemEntropy entropy_;
  issuance::EventLog log_;
  issuance::Config config_;
  std::unique_ptr<issuance::Server> server_;
  std::map<std::string, TlsCredential> credentials_;
  std::map<std::string, std::shared_ptr<grpc::Channel>> channels_;
  int requests_ = 0;
};

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_SUPPORT_TEST_SERVICE_H_
