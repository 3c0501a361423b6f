#include "ca/encoding/digest.h"

#include <cstdio>
#include <cstdlib>

#include "hsm/base/openssl.h"

namespace hourglass::ca {
namespace {

// Hashing memory fails only where OpenSSL lacks the algorithm or memory; there is nothing to go on
// with then.
std::string Digest(const EVP_MD* algorithm, absl::string_view octets) {
  thread_local const EvpMdCtxPtr context(EVP_MD_CTX_new());
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (context == nullptr || EVP_DigestInit_ex2(context.get(), algorithm, nullptr) != 1 ||
      EVP_DigestUpdate(context.get(), octets.data(), octets.size()) != 1 ||
      EVP_DigestFinal_ex(context.get(), out, &size) != 1) {
    std::fprintf(stderr, "cannot hash: %s\n", DrainOpensslErrors().c_str());
    std::abort();
  }
  return std::string(reinterpret_cast<const char*>(out), size);
}

}  // namespace

std::string Sha1(absl::string_view octets) {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA1", nullptr);
  return Digest(algorithm, octets);
}

std::string Sha256(absl::string_view octets) {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA2-256", nullptr);
  return Digest(algorithm, octets);
}

}  // namespace hourglass::ca
