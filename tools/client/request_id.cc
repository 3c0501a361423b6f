#include "tools/client/request_id.h"

#include <openssl/rand.h>

#include <cstdlib>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace hourglass::client {

std::string RandomOctets(int size) {
  std::string octets(static_cast<std::size_t>(size), '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(octets.data()), size) != 1) std::abort();
  return octets;
}

std::string NewRequestId() {
  std::string octets = RandomOctets(16);
  octets[6] = static_cast<char>((octets[6] & 0x0f) | 0x40);  // version 4
  octets[8] = static_cast<char>((octets[8] & 0x3f) | 0x80);  // the variant of RFC 9562
  const std::string hex = absl::BytesToHexString(octets);
  return absl::StrCat(hex.substr(0, 8), "-", hex.substr(8, 4), "-", hex.substr(12, 4), "-",
                      hex.substr(16, 4), "-", hex.substr(20));
}

}  // namespace hourglass::client
