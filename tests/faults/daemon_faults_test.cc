// hourglassd with brokers that ask all the while, and a module that goes wrong in one way after the
// other: every certificate that was handed out is good and in the journal, and none else is
// released.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/x509.h>

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "hsm/base/openssl.h"
#include "issuance/wire/status_detail.h"
#include "tests/fakes/faulty_pkcs11.h"
#include "tests/faults/recovery_table.h"
#include "tests/support/daemon.h"
#include "tests/support/grpc_matchers.h"

namespace hourglass {
namespace {

constexpr int kBrokers = 4;

X509Ptr Parse(const std::string& der) {
  const auto* octets = reinterpret_cast<const unsigned char*>(der.data());
  return X509Ptr(d2i_X509(nullptr, &octets, static_cast<long>(der.size())));
}

// Four brokers, each of which asks for one certificate after the other.
class Brokers {
 public:
  explicit Brokers(Daemon& daemon) : request_(daemon.Request()) {
    for (int i = 0; i < kBrokers; ++i) stubs_.push_back(daemon.As<v1::CertificateIssuer>(kBroker));
    for (int i = 0; i < kBrokers; ++i) threads_.emplace_back([this, i] { Run(i); });
  }
  ~Brokers() { Stop(); }

  void Stop() {
    stopping_ = true;
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

  // By request id.
  std::map<std::string, std::string> certificates() const {
    const std::lock_guard lock(mutex_);
    return certificates_;
  }
  std::map<v1::ErrorReason, int> refusals() const {
    const std::lock_guard lock(mutex_);
    return refusals_;
  }
  // Until so many more certificates were handed out; false after half a minute.
  bool WaitForMore(std::size_t more) const {
    const std::size_t wanted = certificates().size() + more;
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (certificates().size() < wanted) {
      if (std::chrono::steady_clock::now() > limit) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
  }

 private:
  void Run(int broker) {
    v1::IssueCertificateRequest request = request_;
    for (int i = 0; !stopping_; ++i) {
      request.set_request_id(absl::StrCat("broker-", broker, "-", i));
      v1::IssueCertificateResponse response;
      grpc::ClientContext context;
      context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
      const grpc::Status status =
          stubs_[static_cast<std::size_t>(broker)]->IssueCertificate(&context, request, &response);
      const std::lock_guard lock(mutex_);
      if (status.ok()) {
        certificates_[request.request_id()] = response.certificate();
      } else {
        const auto detail = issuance::ErrorDetailOf(status);
        ++refusals_[detail.has_value() ? detail->reason() : v1::ERROR_REASON_UNSPECIFIED];
      }
    }
  }

  const v1::IssueCertificateRequest request_;
  std::vector<std::unique_ptr<v1::CertificateIssuer::Stub>> stubs_;
  std::atomic<bool> stopping_ = false;
  mutable std::mutex mutex_;
  std::map<std::string, std::string> certificates_;
  std::map<v1::ErrorReason, int> refusals_;
  std::vector<std::thread> threads_;
};

int Count(absl::string_view text, absl::string_view part) {
  int count = 0;
  for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

// Waits until the log has `once`, or `often` more than `times` times.
bool LogHas(const Daemon& daemon, absl::string_view once, absl::string_view often, int times) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(3);
  while (std::chrono::steady_clock::now() < end) {
    const std::string log = daemon.Log();
    if (Count(log, once) > 0 || Count(log, often) > times) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return false;
}

TEST(DaemonFaultsTest, NothingWrongIsHandedOutAndNothingUnrecorded) {
  Daemon daemon;
  FaultyPkcs11 faulty;
  daemon.Configure(absl::StrCat("{tokens: [\"", faulty.Through(daemon.token().Uri()), "\"]}"),
                   daemon.data_directory());
  ASSERT_TRUE(daemon.Start()) << daemon.Log();
  daemon.CreateTenant();
  const v1::Root root = daemon.CreateRoot();
  daemon.ReportDevice("contoso", "laptop-1", true);
  Brokers brokers(daemon);
  ASSERT_TRUE(brokers.WaitForMore(20));

  for (const char* line : {"C_Sign 5 crash SIGSEGV", "C_SignInit 5 crash SIGABRT", "C_Sign 5 hang",
                           "C_Sign 5 return CKR_DEVICE_ERROR", "C_SignInit 5 forget-login",
                           "C_SignInit 5 close-sessions", "C_Sign * return CKR_GENERAL_ERROR"}) {
    faulty.Set({line});
    // What lasts is ended after a while.
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    faulty.Clear();
    const auto ended = std::chrono::steady_clock::now();
    ASSERT_TRUE(brokers.WaitForMore(20)) << line << "\n" << daemon.Log();
    Recovery recovery;
    recovery.fault = absl::StrCat("hourglassd: ", line);
    recovery.what_happened = "20 more certificates";
    recovery.back_after = std::chrono::steady_clock::now() - ended;
    AddToTable(recovery);
  }
  EXPECT_EQ(brokers.refusals().count(v1::KEY_MISMATCH), 0u);

  // A key holder that is starting may use it up for its test signature: that ends the key holder
  // alone.
  const std::string out_of_service = "\"event\":\"key_out_of_service\"";
  const std::string test_signature = "gave a test signature that does not verify";
  for (int used_up = 0; used_up < 10; ++used_up) {
    faulty.Set({"C_Sign 1 wrong-signature"});
    ASSERT_TRUE(LogHas(daemon, out_of_service, test_signature, used_up)) << daemon.Log();
    if (Count(daemon.Log(), out_of_service) > 0) break;
  }
  ASSERT_GT(Count(daemon.Log(), out_of_service), 0);
  faulty.Clear();
  EXPECT_THAT(daemon.Issue(daemon.Request()), RefusedWith(v1::KEY_MISMATCH));
  brokers.Stop();
  EXPECT_EQ(brokers.refusals().count(v1::KEY_MISMATCH), 1u);
  for (const auto& [reason, count] : brokers.refusals()) {
    EXPECT_TRUE(reason == v1::KEY_UNAVAILABLE || reason == v1::KEY_MISMATCH)
        << v1::ErrorReason_Name(reason);
  }

  const X509Ptr issuer = Parse(root.certificate());
  ASSERT_NE(issuer, nullptr);
  std::map<std::string, std::string> released;
  for (const v1::JournalEntry& entry : daemon.Journal()) {
    if (!entry.has_released_at()) continue;
    released[entry.request_id()] = entry.certificate();
    const X509Ptr certificate = Parse(entry.certificate());
    ASSERT_NE(certificate, nullptr);
    EXPECT_EQ(X509_verify(certificate.get(), X509_get0_pubkey(issuer.get())), 1);
  }
  EXPECT_EQ(released, brokers.certificates());
  EXPECT_EQ(daemon.Stop(), 0);
}

}  // namespace
}  // namespace hourglass
