// OpenSSL's secure heap: memory that is never swapped out and left out of core dumps.
#ifndef HOURGLASS_HSM_KEY_SECURE_HEAP_H_
#define HOURGLASS_HSM_KEY_SECURE_HEAP_H_

#include <openssl/crypto.h>

#include <cstddef>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace hourglass::hsm {

// Room for some 1000 RSA-4096 keys or 50 000 EC keys, within Debian's 8 MiB of LimitMEMLOCK.
inline constexpr std::size_t kSecureHeapSize = std::size_t{4} << 20;

// Sets the heap up, `size` octets, a power of two. To be called once in a program, before it holds
// any key and while it has one thread; what keys hold that is private lives there from then on.
// Without it, keys live in ordinary memory. What OpenSSL's decoder copied of a key while it was
// read stays in ordinary memory that was given back, until that is used again. Errors:
// CONFIGURATION_INVALID with field `LimitMEMLOCK` where the memory cannot be locked.
absl::Status InitializeSecureHeap(std::size_t size = kSecureHeapSize);

// Octets of the secure heap (of ordinary memory, where it is not set up), wiped when this goes.
class SecureOctets {
 public:
  // Zeros. Null data() where there is no room.
  explicit SecureOctets(std::size_t size)
      : data_(static_cast<unsigned char*>(OPENSSL_secure_zalloc(size))), size_(size) {}
  ~SecureOctets() { OPENSSL_secure_clear_free(data_, size_); }
  SecureOctets(SecureOctets&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  SecureOctets& operator=(SecureOctets&&) = delete;

  unsigned char* data() { return data_; }
  std::size_t size() const { return size_; }
  absl::string_view view() const { return {reinterpret_cast<const char*>(data_), size_}; }

 private:
  unsigned char* data_;
  std::size_t size_;
};

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_KEY_SECURE_HEAP_H_
