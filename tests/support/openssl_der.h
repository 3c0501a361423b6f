// What OpenSSL writes of its own objects, for tests to compare with.
#ifndef HOURGLASS_TESTS_SUPPORT_OPENSSL_DER_H_
#define HOURGLASS_TESTS_SUPPORT_OPENSSL_DER_H_

#include <openssl/crypto.h>

#include <cstddef>
#include <string>

namespace hourglass {

// `object`, DER, by `encode`, the function i2d_… of its type. Empty where OpenSSL refuses. Safe to
// call from several threads for different objects.
template <typename Encode, typename Object>
std::string DerByOpenssl(Encode encode, Object* object) {
  unsigned char* octets = nullptr;
  const int size = encode(object, &octets);
  if (size < 0) return "";
  std::string der(reinterpret_cast<char*>(octets), static_cast<std::size_t>(size));
  OPENSSL_free(octets);
  return der;
}

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_SUPPORT_OPENSSL_DER_H_
