// What one certificate costs, PKCS#10 octets in, certificate DER out, software P-256 keys: CPU time
// on one thread. Beside it the floor, what no issuer can go below: verifying the request's
// signature and making the certificate's, by EVP with everything that can be kept kept. The last
// line is the ratio of the medians. Run it optimised and on a quiet machine:
//   bazel run -c opt //tools/bench:issue_benchmark -- --benchmark_repetitions=9
#include <benchmark/benchmark.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "ca/authority.h"
#include "ca/certificate_request.h"
#include "ca/name.h"
#include "ca/profile.h"
#include "ca/root_certificate.h"
#include "hsm/base/openssl.h"
#include "hsm/signature.h"
#include "hsm/software_key.h"

namespace hourglass::ca {
namespace {

constexpr Time kNow = std::chrono::sys_days(std::chrono::year(2026) / 11 / 20);
constexpr char kIssue[] = "issue";
constexpr char kVerifyRequest[] = "floor/verify_request";
constexpr char kSign[] = "floor/sign";
constexpr char kVerifyOwn[] = "verify_own_signature";

template <typename T>
T ValueOrDie(absl::StatusOr<T> result) {
  if (!result.ok()) {
    std::fprintf(stderr, "%s\n", result.status().ToString().c_str());
    std::exit(1);
  }
  return *std::move(result);
}

void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "%s: %s\n", what, DrainOpensslErrors().c_str());
  std::exit(1);
}

const unsigned char* Octets(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// A request by OpenSSL, and its parts.
struct Request {
  EvpPkeyPtr key;
  std::string der;
  std::string digest;  // SHA-256 of the signed part
  std::string signature;
};

Request MakeRequest() {
  Request request;
  request.key.reset(EVP_EC_gen("P-256"));
  const X509ReqPtr built(X509_REQ_new());
  X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(built.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("user"), -1, -1, 0);
  Require(X509_REQ_set_pubkey(built.get(), request.key.get()) == 1 &&
              X509_REQ_sign(built.get(), request.key.get(), EVP_sha256()) > 0,
          "request");
  unsigned char* der = nullptr;
  int size = i2d_X509_REQ(built.get(), &der);
  request.der.assign(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  der = nullptr;
  size = i2d_re_X509_REQ_tbs(built.get(), &der);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned digest_size = 0;
  EVP_Digest(der, static_cast<std::size_t>(size), digest, &digest_size, EVP_sha256(), nullptr);
  OPENSSL_free(der);
  request.digest.assign(digest, digest + digest_size);
  const ASN1_BIT_STRING* signature = nullptr;
  X509_REQ_get0_signature(built.get(), &signature, nullptr);
  request.signature.assign(signature->data, signature->data + signature->length);
  return request;
}

struct Issuer {
  std::unique_ptr<Authority> authority;
  hsm::VerifyingKey verifier;
};

Issuer MakeIssuer() {
  auto key = ValueOrDie(hsm::GenerateSoftwareKey(hsm::KeyType::kEcP256));
  RootCertificate root = ValueOrDie(IssueRoot({.display_name = "Contoso",
                                               .now = kNow,
                                               .duration = std::chrono::days(365),
                                               .serial_entropy = std::string(kSerialSize, 's')},
                                              *key));
  hsm::VerifyingKey verifier = ValueOrDie(hsm::VerifyingKey::FromPublicKey(root.public_key()));
  return {ValueOrDie(Authority::Create(std::move(root), std::move(key),
                                       ValueOrDie(LeafProfile::Create({})))),
          std::move(verifier)};
}

void Issue(benchmark::State& state) {
  const Issuer issuer = MakeIssuer();
  const Request request = MakeRequest();
  const Subject subject =
      ValueOrDie(Subject::Create("alice@contoso.example", "id-1", "S-1-5-21-1-2-3-1105"));
  for ([[maybe_unused]] auto _ : state) {
    const RequestedKey key = ValueOrDie(ParseCertificateRequest(request.der, KeyPolicy()));
    TbsCertificate tbs =
        ValueOrDie(issuer.authority->Prepare({subject, key, std::string(kSerialSize, 'r'), kNow}));
    benchmark::DoNotOptimize(ValueOrDie(issuer.authority->Sign(std::move(tbs))));
  }
}

// The key parsed, the context made and the digest known.
void VerifyRequest(benchmark::State& state) {
  const Request request = MakeRequest();
  const EvpPkeyCtxPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, request.key.get(), nullptr));
  Require(EVP_PKEY_verify_init(context.get()) == 1, "verify");
  for ([[maybe_unused]] auto _ : state) {
    Require(EVP_PKEY_verify(context.get(), Octets(request.signature), request.signature.size(),
                            Octets(request.digest), request.digest.size()) == 1,
            "verify");
  }
}

void Sign(benchmark::State& state) {
  const EvpPkeyPtr key(EVP_EC_gen("P-256"));
  const EvpPkeyCtxPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
  Require(EVP_PKEY_sign_init(context.get()) == 1, "sign");
  const std::string digest(32, 'd');
  for ([[maybe_unused]] auto _ : state) {
    unsigned char signature[128];
    std::size_t size = sizeof(signature);
    Require(EVP_PKEY_sign(context.get(), signature, &size, Octets(digest), digest.size()) == 1,
            "sign");
  }
}

// What Authority::Sign adds to be sure of the key: not in the floor, but part of every certificate.
void VerifyOwn(benchmark::State& state) {
  auto key = ValueOrDie(hsm::GenerateSoftwareKey(hsm::KeyType::kEcP256));
  const hsm::VerifyingKey verifier =
      ValueOrDie(hsm::VerifyingKey::FromPublicKey(key->public_key()));
  const std::string message(500, 'm');
  const std::string signature = ValueOrDie(key->Sign(message));
  for (auto _ : state) Require(verifier.Verify(message, signature).ok(), "verify");
}

// Prints as usual and keeps each repetition's CPU time.
class Medians : public benchmark::ConsoleReporter {
 public:
  Medians() : ConsoleReporter(OO_Tabular) {}

  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      if (run.run_type == Run::RT_Iteration)
        times_[run.run_name.function_name].push_back(run.GetAdjustedCPUTime());
    }
    ConsoleReporter::ReportRuns(runs);
  }

  // In microseconds; 0 for a benchmark that did not run.
  double Of(const std::string& name) {
    std::vector<double>& times = times_[name];
    if (times.empty()) return 0;
    std::sort(times.begin(), times.end());
    return times[times.size() / 2];
  }

 private:
  std::map<std::string, std::vector<double>> times_;
};

}  // namespace
}  // namespace hourglass::ca

int main(int argc, char** argv) {
  using namespace hourglass::ca;  // NOLINT(google-build-using-namespace): the program is this file
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RegisterBenchmark(kIssue, Issue)->Unit(benchmark::kMicrosecond);
  benchmark::RegisterBenchmark(kVerifyRequest, VerifyRequest)->Unit(benchmark::kMicrosecond);
  benchmark::RegisterBenchmark(kSign, Sign)->Unit(benchmark::kMicrosecond);
  benchmark::RegisterBenchmark(kVerifyOwn, VerifyOwn)->Unit(benchmark::kMicrosecond);
  Medians medians;
  benchmark::RunSpecifiedBenchmarks(&medians);
  const double issue = medians.Of(kIssue), floor = medians.Of(kVerifyRequest) + medians.Of(kSign);
  const double own = medians.Of(kVerifyOwn);
  if (issue == 0 || floor == 0) return 0;
  std::printf(
      "CPU per certificate %.1f us; floor (verify request + sign) %.1f us; ratio %.2f; "
      "ratio to the floor with the check of our own signature %.2f\n",
      issue, floor, issue / floor, issue / (floor + own));
  return 0;
}
