// A service's callers in tests: connections by name, and what most tests begin with.
#ifndef HOURGLASS_TESTS_SUPPORT_SERVICE_CLIENT_H_
#define HOURGLASS_TESTS_SUPPORT_SERVICE_CLIENT_H_

#include <grpcpp/grpcpp.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "hourglass/v1/devices.grpc.pb.h"
#include "hourglass/v1/issuance.grpc.pb.h"
#include "hourglass/v1/journal.grpc.pb.h"
#include "hourglass/v1/roots.grpc.pb.h"
#include "hourglass/v1/tenants.grpc.pb.h"
#include "issuance/identity/caller.h"
#include "tests/support/mutual_tls.h"

namespace hourglass {

// The callers of a test's configuration, by name. All tenants unless said otherwise.
inline constexpr char kAdministrator[] = "administrator";
inline constexpr char kBroker[] = "broker";             // tenant contoso only
inline constexpr char kWideBroker[] = "wide-broker";    // every tenant
inline constexpr char kOtherBroker[] = "other-broker";  // tenant fabrikam only
inline constexpr char kAuditor[] = "auditor";
inline constexpr char kDeviceReporter[] = "device-reporter";  // tenant contoso only
inline constexpr char kWideReporter[] = "wide-reporter";      // every tenant
// Its certificate is good, but the configuration does not know it.
inline constexpr char kStranger[] = "stranger";

// Every caller above but the stranger; the identity is the URI spiffe://contoso.example/NAME.
std::vector<issuance::Caller> TestCallers();

// Demands disk encryption, reported within a day.
inline constexpr char kTestPolicy[] =
    "version: \"1\"\n"
    "report_validity: 24h\n"
    "remediation_url: https://help.contoso.example/vpn\n"
    "disk_encryption: {enabled: true}\n";

// Not for several threads at once, but the stubs are.
class ServiceClient {
 public:
  // What the service and its callers trust; the server's own credential is tls().Server().
  MutualTls& tls() { return tls_; }

  // `host:port`, empty before Connect.
  const std::string& address() const { return address_; }

  // A connection as one of the callers above.
  std::shared_ptr<grpc::Channel> ChannelAs(absl::string_view caller);

  template <typename Service>
  std::unique_ptr<typename Service::Stub> As(absl::string_view caller) {
    return Service::NewStub(ChannelAs(caller));
  }

  // The PEM files that a caller authenticates with.
  const TlsCredential& CredentialOf(absl::string_view caller);

  // The section `tls` of a configuration of the programs of callers: YAML, whole lines.
  std::string TlsSectionOf(absl::string_view caller);
  // A whole one, for the address that calls go to now.
  std::string ConfigOf(absl::string_view caller);

  // Of a tenant without relying parties, which is what there is where a test makes none.
  static v1::PromoteRootRequest PromotionOf(const v1::Root& root);

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
  grpc::Status Issue(const v1::IssueCertificateRequest& request,
                     v1::IssueCertificateResponse* response = nullptr,
                     absl::string_view caller = kBroker);

  // The tenant's journal, newest first.
  std::vector<v1::JournalEntry> Journal(absl::string_view tenant_id = "contoso");
  int JournalSize(absl::string_view tenant_id = "contoso") {
    return static_cast<int>(Journal(tenant_id).size());
  }

 protected:
  // Drops the connections there were; from now on the service is there.
  void Connect(const std::string& address);

 private:
  MutualTls tls_;
  std::string address_;
  std::map<std::string, TlsCredential> credentials_;
  std::map<std::string, std::shared_ptr<grpc::Channel>> channels_;
  int requests_ = 0;
};

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_SUPPORT_SERVICE_CLIENT_H_
