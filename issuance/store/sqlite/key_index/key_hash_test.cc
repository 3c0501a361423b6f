#include "issuance/store/sqlite/key_index/key_hash.h"

#include <gmock/gmock.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <cstring>
#include <memory>
#include <set>
#include <string>

namespace hourglass::issuance {
namespace {

// SipHash-2-4 by OpenSSL.
std::uint64_t SipHashOfOpenssl(const HashKey& key, const std::string& octets) {
  const std::unique_ptr<EVP_MAC, decltype(&EVP_MAC_free)> mac(
      EVP_MAC_fetch(nullptr, "SIPHASH", nullptr), EVP_MAC_free);
  const std::unique_ptr<EVP_MAC_CTX, decltype(&EVP_MAC_CTX_free)> context(
      EVP_MAC_CTX_new(mac.get()), EVP_MAC_CTX_free);
  std::size_t size = 8;
  const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size),
                                   OSSL_PARAM_construct_end()};
  unsigned char key_octets[16], result[8];
  std::memcpy(key_octets, &key, sizeof(key_octets));
  EXPECT_EQ(EVP_MAC_init(context.get(), key_octets, sizeof(key_octets), parameters), 1);
  EXPECT_EQ(EVP_MAC_update(context.get(), reinterpret_cast<const unsigned char*>(octets.data()),
                           octets.size()),
            1);
  EXPECT_EQ(EVP_MAC_final(context.get(), result, &size, sizeof(result)), 1);
  std::uint64_t hash;
  std::memcpy(&hash, result, sizeof(hash));
  return hash;
}

constexpr HashKey kKey{0x0706050403020100, 0x0f0e0d0c0b0a0908};

TEST(KeyHashTest, IsSipHash) {
  std::string octets;
  for (int size = 0; size < 100; ++size) {
    EXPECT_EQ(SipHash(kKey, octets), SipHashOfOpenssl(kKey, octets)) << size;
    octets.push_back(static_cast<char>(size));
  }
}

TEST(KeyHashTest, NoTwoNamesAreHashedAlike) {
  const std::set<std::uint64_t> hashes = {
      HashOfRequestId(kKey, "contoso", "1"),
      HashOfRequestId(kKey, "contoso1", ""),
      HashOfSerialNumber(kKey, "contoso", "1"),
      HashOfRequestId({1, 2}, "contoso", "1"),
      HashOfRequestId(kKey, "", "contoso1"),
      HashOfSerialNumber(kKey, "contoso", std::string("\0", 1) + "1")};
  EXPECT_EQ(hashes.size(), 6u);
}

}  // namespace
}  // namespace hourglass::issuance
