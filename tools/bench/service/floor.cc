#include "tools/bench/service/floor.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <time.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "hsm/base/error.h"

namespace hourglass::bench {
namespace {

constexpr int kPerSample = 20;

const unsigned char* Octets(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

double ThreadCpuMicroseconds() {
  timespec time = {};
  (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

EvpPkeyPtr Generate(hsm::KeyType type) {
  switch (type) {
    case hsm::KeyType::kEcP256:
      return EvpPkeyPtr(EVP_EC_gen("P-256"));
    case hsm::KeyType::kEcP384:
      return EvpPkeyPtr(EVP_EC_gen("P-384"));
    case hsm::KeyType::kRsa2048:
      return EvpPkeyPtr(EVP_RSA_gen(2048));
    case hsm::KeyType::kRsa3072:
      return EvpPkeyPtr(EVP_RSA_gen(3072));
    case hsm::KeyType::kRsa4096:
      return EvpPkeyPtr(EVP_RSA_gen(4096));
  }
  return nullptr;
}

EvpPkeyCtxPtr Prepared(EVP_PKEY* key, int (*initialize)(EVP_PKEY_CTX*)) {
  EvpPkeyCtxPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  const bool ready = context != nullptr && initialize(context.get()) == 1 &&
                     EVP_PKEY_CTX_set_signature_md(context.get(), EVP_sha256()) == 1;
  return ready ? std::move(context) : nullptr;
}

// Of a digest; empty where OpenSSL fails.
std::string Signature(EVP_PKEY_CTX* signer, const std::string& digest) {
  std::string signature(1024, '\0');
  std::size_t size = signature.size();
  const bool made =
      signer != nullptr && EVP_PKEY_sign(signer, reinterpret_cast<unsigned char*>(signature.data()),
                                         &size, Octets(digest), digest.size()) == 1;
  signature.resize(made ? size : 0);
  return signature;
}

// One signature, to be verified again and again.
class Verification {
 public:
  Verification(EVP_PKEY* key, const std::string& digest)
      : digest_(digest),
        verifier_(Prepared(key, EVP_PKEY_verify_init)),
        signature_(Signature(Prepared(key, EVP_PKEY_sign_init).get(), digest)) {}

  bool Succeeds() const {
    return verifier_ != nullptr &&
           EVP_PKEY_verify(verifier_.get(), Octets(signature_), signature_.size(), Octets(digest_),
                           digest_.size()) == 1;
  }

 private:
  const std::string digest_;
  const EvpPkeyCtxPtr verifier_;
  const std::string signature_;
};

}  // namespace

VerifyAndSignFloor::VerifyAndSignFloor(hsm::KeyType root_type, Asserted asserted)
    : leaf_(Generate(hsm::KeyType::kEcP256)),
      root_(Generate(root_type)),
      token_issuer_(asserted == Asserted::kByToken ? Generate(hsm::KeyType::kRsa2048) : nullptr) {}

absl::Status VerifyAndSignFloor::Measure(std::chrono::nanoseconds duration) {
  const std::string digest(32, 'd');
  const Verification request(leaf_.get(), digest);
  std::optional<Verification> token;
  if (token_issuer_ != nullptr) token.emplace(token_issuer_.get(), digest);
  const EvpPkeyCtxPtr signer = Prepared(root_.get(), EVP_PKEY_sign_init);
  const auto end = std::chrono::steady_clock::now() + duration;
  do {
    const double begin = ThreadCpuMicroseconds();
    for (int i = 0; i < kPerSample; ++i) {
      const bool done = request.Succeeds() && !Signature(signer.get(), digest).empty() &&
                        (!token.has_value() || token->Succeeds());
      if (!done) return Error(ErrorReason::kInternalError, "", "floor: " + DrainOpensslErrors());
    }
    samples_.push_back((ThreadCpuMicroseconds() - begin) / kPerSample);
  } while (std::chrono::steady_clock::now() < end);
  return absl::OkStatus();
}

double VerifyAndSignFloor::Microseconds() const {
  if (samples_.empty()) return 0;
  std::vector<double> sorted = samples_;
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
  std::nth_element(sorted.begin(), middle, sorted.end());
  return *middle;
}

}  // namespace hourglass::bench
