#include "tools/bench/service/floor.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <time.h>

#include <algorithm>
#include <string>

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

std::string Signature(EVP_PKEY_CTX* signer, const std::string& digest) {
  std::string signature(1024, '\0');
  std::size_t size = signature.size();
  const bool made = EVP_PKEY_sign(signer, reinterpret_cast<unsigned char*>(signature.data()), &size,
                                  Octets(digest), digest.size()) == 1;
  signature.resize(made ? size : 0);
  return signature;
}

bool Prepare(EVP_PKEY_CTX* context, int (*initialize)(EVP_PKEY_CTX*)) {
  return initialize(context) == 1 && EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) == 1;
}

}  // namespace

VerifyAndSignFloor::VerifyAndSignFloor(hsm::KeyType root_type)
    : leaf_(Generate(hsm::KeyType::kEcP256)), root_(Generate(root_type)) {}

absl::Status VerifyAndSignFloor::Measure(std::chrono::nanoseconds duration) {
  const auto broken = [] {
    return Error(ErrorReason::kInternalError, "", "floor: " + DrainOpensslErrors());
  };
  const EvpPkeyCtxPtr leaf_signer(EVP_PKEY_CTX_new_from_pkey(nullptr, leaf_.get(), nullptr));
  const EvpPkeyCtxPtr verifier(EVP_PKEY_CTX_new_from_pkey(nullptr, leaf_.get(), nullptr));
  const EvpPkeyCtxPtr signer(EVP_PKEY_CTX_new_from_pkey(nullptr, root_.get(), nullptr));
  if (!Prepare(leaf_signer.get(), EVP_PKEY_sign_init) ||
      !Prepare(verifier.get(), EVP_PKEY_verify_init) ||
      !Prepare(signer.get(), EVP_PKEY_sign_init)) {
    return broken();
  }
  const std::string digest(32, 'd');
  const std::string signature = Signature(leaf_signer.get(), digest);
  const auto end = std::chrono::steady_clock::now() + duration;
  do {
    const double begin = ThreadCpuMicroseconds();
    for (int i = 0; i < kPerSample; ++i) {
      if (EVP_PKEY_verify(verifier.get(), Octets(signature), signature.size(), Octets(digest),
                          digest.size()) != 1 ||
          Signature(signer.get(), digest).empty()) {
        return broken();
      }
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
