// The whole service in a test's process, for those who write token brokers: behind mutual TLS on a
// free port of the loopback interface, with credentials made for it, a compliance service that
// answers what the test says, and a clock that the test moves.
//
//   hourglass::issuance::TestService service;
//   MyBroker broker(service.address(), service.CredentialOf(TestCaller::kBroker));
//   service.Deny("disk_encryption.enabled", "turn on disk encryption");
#ifndef HOURGLASS_ISSUANCE_SERVER_TESTING_TEST_SERVICE_H_
#define HOURGLASS_ISSUANCE_SERVER_TESTING_TEST_SERVICE_H_

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "hourglass/v1/compliance.pb.h"
#include "hourglass/v1/error.pb.h"
#include "hourglass/v1/issuance.pb.h"

// The service that issues over gRPC; what tests of its clients need of it is public.
namespace hourglass::issuance {

// Who may call: one of each role. The broker and the device reporter are bound to the tenant
// `contoso`, the administrator and the auditor to every tenant. A stranger has a certificate of the
// same authority, and is turned away in the handshake.
enum class TestCaller { kAdministrator, kBroker, kAuditor, kDeviceReporter, kStranger };

// What a caller authenticates with; PEM.
struct TestCredential {
  std::string certificate_pem;    // the caller's own
  std::string private_key_pem;    // PKCS#8, unencrypted
  std::string trusted_roots_pem;  // what the service's own certificate is of
};

// What a TestService is made with.
struct TestServiceOptions {
  // How long certificates live: 5 minutes to 24 hours.
  std::chrono::seconds lifetime = std::chrono::minutes(60);
  // Certificates are signed by an issuing sub-key, so that clients must send a chain of two.
  bool issuing_sub_key = false;
};

// Everything is real but the clock and the verdicts: the pipeline, the journal in SQLite in a
// temporary folder, software keys, gRPC. The tenant `contoso` is there, with a primary.
//
// Whatever links this class has a SSL_read(3) in the place of OpenSSL's, for the whole process: it
// watches what gRPC reads, as in the service, and lets other connections be.
//
// The constructor, and whatever does not return a status, end the process on failure, with a
// message. Needs the program `openssl`. Not for several threads at once; channels and their stubs
// may be used by any.
class TestService {
 public:
  // Returns when the service answers and the tenant has its primary.
  explicit TestService(const TestServiceOptions& options = {});
  // Stops the service and deletes its folder.
  ~TestService();
  TestService(const TestService&) = delete;
  TestService& operator=(const TestService&) = delete;

  // `127.0.0.1:PORT`; stays the same but for Restart.
  const std::string& address() const;
  // The same in each call, also after Restart.
  TestCredential CredentialOf(TestCaller caller);
  // A connection as that caller; dropped by Restart.
  std::shared_ptr<grpc::Channel> ChannelAs(TestCaller caller);

  // What relying parties of `contoso` trust now; PEM.
  std::string trust_bundle_pem();

  // A sound request of alice@contoso.example on laptop-1 for a new P-256 key, under a request id of
  // its own.
  v1::IssueCertificateRequest SampleRequest();

  // The service's time, which begins as the machine's and stands still. Callers' credentials are
  // valid for 30 days of it.
  std::chrono::system_clock::time_point now() const;
  // Time goes by, and the machine's uptime with it: no leap, which the service would doubt. `by`
  // must not be negative.
  void Advance(std::chrono::microseconds by);

  // What the compliance service answers from now on. It allows until told otherwise.
  void Allow();
  // `setting` as in v1::DenyReason, `disk_encryption.enabled`.
  void Deny(absl::string_view setting, absl::string_view message,
            absl::string_view remediation_url = "");
  // Anything else, by question: an outcome to set in the verdict, or an error to return. What
  // the verdict repeats of the question is filled in before the script, verdict id and evaluated_at
  // after it where they are unset. Called by several threads at once.
  using Script = std::function<grpc::Status(const v1::EvaluateRequest&, v1::Verdict*)>;
  // From now on `script` answers every question, in the place of what was set before.
  void AnswerBy(Script script);
  // What it was asked so far, oldest first.
  std::vector<v1::EvaluateRequest> Questions() const;

  // Stops the service gracefully and starts it anew on the same data, on another port.
  void Restart();

  // The typed detail of an error that the service returned: the reason, the field, why a device was
  // denied. Nothing where the status has none.
  static std::optional<v1::ErrorDetail> DetailOf(const grpc::Status& status);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVER_TESTING_TEST_SERVICE_H_
