// A bit of a private key that flips in memory, as Rowhammer or a failing module does it.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "hsm/base/openssl.h"
#include "hsm/key/signature.h"
#include "hsm/key/software_key.h"
#include "tests/support/status_matchers.h"

namespace hourglass::hsm {
namespace {

// A number of the key as it lies in memory: the machine's order of octets, inverted so that this
// copy is not found.
std::string InvertedNumber(const std::string& pem, const char* name, size_t size) {
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const EvpPkeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
  std::string octets(size, '\0');
  OSSL_PARAM wanted[] = {
      OSSL_PARAM_construct_BN(name, reinterpret_cast<unsigned char*>(octets.data()), size),
      OSSL_PARAM_construct_end()};
  EXPECT_EQ(EVP_PKEY_get_params(key.get(), wanted), 1);
  for (char& octet : octets) octet = static_cast<char>(~octet);
  return octets;
}

// Flips a bit wherever the number lies in this process's memory; how often.
int FlipEverywhere(const std::string& inverted) {
  const int memory = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
  EXPECT_GE(memory, 0);
  std::ifstream maps("/proc/self/maps");
  std::vector<std::uint64_t> places;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> regions;
  for (std::string line; std::getline(maps, line);) {
    unsigned long long begin = 0, end = 0;
    char rights[5] = {};
    if (std::sscanf(line.c_str(), "%llx-%llx %4s", &begin, &end, rights) == 3 && rights[0] == 'r' &&
        rights[1] == 'w' && line.find("[stack]") == std::string::npos) {
      regions.emplace_back(begin, end);
    }
  }
  constexpr size_t kPiece = 1 << 16;
  std::vector<char> piece(kPiece);
  for (const auto& [begin, end] : regions) {
    for (std::uint64_t at = begin; at < end; at += kPiece) {
      const ssize_t got = pread(memory, piece.data(), kPiece, static_cast<off_t>(at));
      // Numbers begin where a word does.
      for (ssize_t i = 0; i + static_cast<ssize_t>(inverted.size()) <= got; i += 8) {
        size_t same = 0;
        while (same < inverted.size() &&
               piece[static_cast<size_t>(i) + same] == static_cast<char>(~inverted[same])) {
          ++same;
        }
        if (same == inverted.size()) places.push_back(at + static_cast<std::uint64_t>(i));
      }
      std::memset(piece.data(), 0, piece.size());
    }
  }
  for (const std::uint64_t place : places) {
    const char flipped = static_cast<char>(~inverted[3] ^ 0x10);
    EXPECT_EQ(pwrite(memory, &flipped, 1, static_cast<off_t>(place + 3)), 1);
  }
  close(memory);
  return static_cast<int>(places.size());
}

struct Row {
  KeyType type;
  const char* number;
  size_t size;
};

class FlippedKeyTest : public testing::TestWithParam<Row> {};

TEST_P(FlippedKeyTest, SignsNothingAnyMore) {
  ASSERT_OK_AND_ASSIGN(const std::string pem, GenerateSoftwareKeyPem(GetParam().type));
  const std::string inverted = InvertedNumber(pem, GetParam().number, GetParam().size);
  ASSERT_OK_AND_ASSIGN(const auto key, SoftwareKeyFromPem(pem));
  ASSERT_OK_AND_ASSIGN(const std::string before, key->Sign("message"));
  EXPECT_OK(VerifySignature(key->public_key(), GetParam().type, "message", before));
  ASSERT_GT(FlipEverywhere(inverted), 0);
  EXPECT_THAT(key->Sign("message"), FailsWith(ErrorReason::kKeyMismatch));
  // Nor any of a batch, and out of service: also where the bit should flip back.
  const std::vector<absl::string_view> messages(3, "message");
  for (const auto& signature : key->SignAll(messages)) {
    EXPECT_THAT(signature, FailsWith(ErrorReason::kKeyMismatch));
  }
}

TEST_P(FlippedKeyTest, ABatchIsNotReleased) {
  ASSERT_OK_AND_ASSIGN(const std::string pem, GenerateSoftwareKeyPem(GetParam().type));
  const std::string inverted = InvertedNumber(pem, GetParam().number, GetParam().size);
  ASSERT_OK_AND_ASSIGN(const auto key, SoftwareKeyFromPem(pem));
  const std::vector<absl::string_view> messages(40, "message");
  for (const auto& signature : key->SignAll(messages)) ASSERT_OK(signature);
  ASSERT_GT(FlipEverywhere(inverted), 0);
  for (const auto& signature : key->SignAll(messages)) {
    EXPECT_THAT(signature, FailsWith(ErrorReason::kKeyMismatch));
  }
}

INSTANTIATE_TEST_SUITE_P(Keys, FlippedKeyTest,
                         testing::Values(Row{KeyType::kEcP256, OSSL_PKEY_PARAM_PRIV_KEY, 32},
                                         Row{KeyType::kEcP384, OSSL_PKEY_PARAM_PRIV_KEY, 48},
                                         Row{KeyType::kRsa2048, OSSL_PKEY_PARAM_RSA_EXPONENT1,
                                             128}));

}  // namespace
}  // namespace hourglass::hsm
