#include "hsm/key/secure_heap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "hsm/key/key_type.h"
#include "hsm/key/software_key.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::hsm {
namespace {

// VmLck of proc(5).
std::string LockedMemory() {
  const std::string status = ReadFileOrDie("/proc/self/status");
  for (const absl::string_view line : absl::StrSplit(status, '\n')) {
    if (absl::StartsWith(line, "VmLck:")) return std::string(line);
  }
  return "";
}

void LetLockLittleMemory() {
  const rlimit little = {65536, 65536};
  setrlimit(RLIMIT_MEMLOCK, &little);
  // Root may lock more; without this capability it may not.
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct none[2] = {};
  syscall(SYS_capset, &header, none);
}

// In processes of their own: the heap is one of the process.
TEST(SecureHeapDeathTest, SaysWhatToRaiseWhereMemoryCannotBeLocked) {
  EXPECT_EXIT(
      {
        LetLockLittleMemory();
        const absl::Status status = InitializeSecureHeap();
        std::fprintf(stderr, "%s\n", status.ToString().c_str());
        _exit(ReasonOf(status) == ErrorReason::kConfigurationInvalid ? 7 : 8);
      },
      testing::ExitedWithCode(7), "LimitMEMLOCK: cannot lock 4194304 octets");
}

TEST(SecureHeapDeathTest, HoldsWhatIsPrivateOfEveryKey) {
  EXPECT_EXIT(
      {
        EXPECT_OK(InitializeSecureHeap());
        EXPECT_OK(InitializeSecureHeap());
        EXPECT_NE(LockedMemory(), "VmLck:\t       0 kB");
        // The generator of random numbers keeps its state there too.
        EXPECT_OK(GenerateSoftwareKeyDer(KeyType::kEcP256));
        const std::size_t before = CRYPTO_secure_used();
        for (const KeyType type : kAllKeyTypes) {
          {
            const auto der = GenerateSoftwareKeyDer(type);
            EXPECT_OK(der);
            const auto key = SoftwareKeyFromDer(der->view());
            EXPECT_OK(key);
            // The scalar, or the private exponent with the primes and what is kept of them.
            const auto least = static_cast<std::size_t>(KeyBits(type)) / 8 * (IsEc(type) ? 1 : 3);
            EXPECT_GE(CRYPTO_secure_used() - before, least + der->size()) << KeyTypeName(type);
          }
          EXPECT_EQ(CRYPTO_secure_used(), before) << KeyTypeName(type);
        }
        _exit(testing::Test::HasFailure() ? 1 : 0);
      },
      testing::ExitedWithCode(0), "");
}

TEST(SecureHeapDeathTest, RefusesKeysOnceItIsFull) {
  EXPECT_EXIT(
      {
        const auto pem = GenerateSoftwareKeyPem(KeyType::kEcP256);
        EXPECT_OK(pem);
        EXPECT_OK(InitializeSecureHeap(65536));
        EXPECT_OK(SoftwareKeyFromPem(*pem));
        SecureOctets most(32768);
        SecureOctets more(16384);
        SecureOctets rest(16384);
        EXPECT_EQ(SecureOctets(32).data(), nullptr);
        EXPECT_THAT(GenerateSoftwareKeyDer(KeyType::kEcP256).status(), testing::Not(IsOk()));
        EXPECT_THAT(SoftwareKeyFromPem(*pem),
                    FailsWith(ErrorReason::kKeyUnavailable, "private_key"));
        _exit(testing::Test::HasFailure() ? 1 : 0);
      },
      testing::ExitedWithCode(0), "");
}

TEST(SecureOctetsTest, AreOrdinaryMemoryWithoutTheHeap) {
  SecureOctets octets(100);
  ASSERT_NE(octets.data(), nullptr);
  EXPECT_EQ(octets.view(), std::string(100, '\0'));
  const auto der = GenerateSoftwareKeyDer(KeyType::kEcP256);
  ASSERT_OK(der);
  ASSERT_OK_AND_ASSIGN(const auto key, SoftwareKeyFromDer(der->view()));
  ASSERT_OK_AND_ASSIGN(const auto again, SoftwareKeyFromDer(der->view()));
  EXPECT_EQ(key->public_key(), again->public_key());
  EXPECT_THAT(SoftwareKeyFromDer(std::string(der->view()) + "x"),
              FailsWith(ErrorReason::kKeyInvalid, "private_key"));
  EXPECT_THAT(SoftwareKeyFromDer(der->view().substr(1)), FailsWith(ErrorReason::kKeyInvalid));
}

}  // namespace
}  // namespace hourglass::hsm
