#include "ca/encoding/digest.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "tests/support/subprocess.h"

namespace hourglass::ca {
namespace {

struct Example {
  std::string octets;
  const char* sha1;
  const char* sha256;
};

// NIST's examples for FIPS 180-4 and, for no octets, of its validation system.
std::vector<Example> Examples() {
  return {
      {"", "da39a3ee5e6b4b0d3255bfef95601890afd80709",
       "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
      {"abc", "a9993e364706816aba3e25717850c26c9cd0d89d",
       "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
      {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
       "84983e441c3bd26ebaae4aa1f95129e5e54670f1",
       "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
      {std::string(1000000, 'a'), "34aa973cd4c4daa4f61eeb2bdbad27316534016f",
       "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
  };
}

TEST(DigestTest, AreThePublishedOnes) {
  for (const Example& example : Examples()) {
    EXPECT_EQ(absl::BytesToHexString(Sha1(example.octets)), example.sha1);
    EXPECT_EQ(absl::BytesToHexString(Sha256(example.octets)), example.sha256);
  }
}

// Around the length of a block, and of what its padding needs.
TEST(DigestTest, AreOpensslsForEveryLengthOfABlock) {
  for (const std::size_t size : {1, 55, 56, 63, 64, 65, 119, 120, 128, 129}) {
    std::string octets(size, '\0');
    for (std::size_t i = 0; i < size; ++i) octets[i] = static_cast<char>(i * 37);
    EXPECT_EQ(absl::StrCat(absl::BytesToHexString(Sha1(octets)), " *stdin\n"),
              RunCommand({"openssl", "dgst", "-sha1", "-r"}, octets).output);
    EXPECT_EQ(absl::StrCat(absl::BytesToHexString(Sha256(octets)), " *stdin\n"),
              RunCommand({"openssl", "dgst", "-sha256", "-r"}, octets).output);
  }
}

// A thread has one context for both.
TEST(DigestTest, NothingIsLeftOfTheOneBefore) {
  const std::vector<Example> examples = Examples();
  std::vector<std::thread> threads;
  for (std::size_t thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&examples, thread] {
      for (std::size_t i = 0; i < 300; ++i) {
        const Example& example = examples[(thread + i) % 3];
        EXPECT_EQ(absl::BytesToHexString(Sha1(example.octets)), example.sha1);
        EXPECT_EQ(absl::BytesToHexString(Sha256(example.octets)), example.sha256);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace hourglass::ca
