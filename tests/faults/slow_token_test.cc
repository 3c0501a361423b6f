// What a token behind a network does: milliseconds for each call. Long work must not pass for a
// hang, nor keep signatures waiting.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/key/key_type.h"
#include "hsm/key/signature.h"
#include "hsm/keyholder/remote_custodian.h"
#include "tests/fakes/faulty_pkcs11.h"
#include "tests/faults/fault_world.h"
#include "tests/faults/full_token.h"
#include "tests/support/softhsm_token.h"
#include "tests/support/status_matchers.h"

namespace hourglass::hsm {
namespace {

constexpr int kKeys = 1000;

class SlowTokenTest : public testing::Test {
 protected:
  // In memory, where that can be: SoftHSM waits for the disk at each of a thousand keys.
  static const SofthsmToken& Softhsm() {
    static const auto* const softhsm = [] {
      const char* const folder = std::getenv("TEST_TMPDIR");
      const std::string before = folder == nullptr ? "/tmp" : folder;
      if (access("/dev/shm", W_OK) == 0) setenv("TEST_TMPDIR", "/dev/shm", 1);
      static const SofthsmToken token({"slow"});
      setenv("TEST_TMPDIR", before.c_str(), 1);
      return &token;
    }();
    return *softhsm;
  }

  std::unique_ptr<RemoteCustodian> Make(int workers,
                                        std::chrono::milliseconds wait = std::chrono::minutes(1)) {
    RemoteCustodianOptions options;
    options.program = KeyholderProgram();
    options.workers = workers;
    options.sessions = workers;
    options.wait = wait;
    return RemoteCustodian::Create(*ParseTokenUri(faulty_.Through(Softhsm().Uri("slow"))), options,
                                   nullptr);
  }

  static absl::Status Signs(KeyCustodian& custodian, const CustodialKey& key) {
    const auto signature = custodian.SignDigest(key, *Digest(key.type, "message"));
    if (!signature.ok()) return signature.status();
    return VerifySignature(key.public_key, key.type, "message", *signature);
  }

  // No worker was lost or replaced.
  static void ExpectUnmoved(const KeyCustodian& custodian) {
    const CustodianStatus status = custodian.Status();
    EXPECT_EQ(status.worker_restarts, 0U);
    EXPECT_THAT(status.errors, testing::IsEmpty());
  }

  FaultyPkcs11 faulty_;
};

// With one worker, which has nobody to leave the signatures to.
TEST_F(SlowTokenTest, SignsWhileAThousandKeysAreListed) {
  ASSERT_NO_FATAL_FAILURE(MakeKeys(Softhsm(), "slow", 1, kKeys));
  const auto custodian = Make(1);
  ASSERT_OK_AND_ASSIGN(const CustodialKey key, custodian->Open({"key-1", ""}));
  ASSERT_OK(Signs(*custodian, key));
  // Four a key: far longer than a worker is waited for.
  faulty_.Set({"C_GetAttributeValue * delay 2ms"});
  std::atomic<bool> listing = true;
  int signatures = 0;
  std::thread lister([&] {
    const absl::StatusOr<std::vector<KeyListing>> keys = custodian->List();
    EXPECT_OK(keys);
    std::set<std::string> labels;
    if (keys.ok()) {
      for (const KeyListing& listed : *keys) {
        EXPECT_EQ(listed.unfit_because, "");
        labels.insert(listed.selector.label);
      }
    }
    EXPECT_EQ(labels.size(), static_cast<size_t>(kKeys));
    listing = false;
  });
  while (listing) {
    EXPECT_OK(Signs(*custodian, key));
    ++signatures;
  }
  lister.join();
  std::printf("%d signatures while the keys were listed\n", signatures);
  EXPECT_GE(signatures, 50);
  // Another key is opened, and signs, by few calls.
  faulty_.Set({"* * delay 50ms"});
  ASSERT_OK_AND_ASSIGN(const CustodialKey other, custodian->Open({"key-2", ""}));
  EXPECT_OK(Signs(*custodian, other));
  ExpectUnmoved(*custodian);
}

// What cannot be parted is never on all workers at once.
TEST_F(SlowTokenTest, SignsWhileKeysAreMade) {
  const auto custodian = Make(2);
  ASSERT_OK_AND_ASSIGN(const CustodialKey key,
                       custodian->Generate({"first", "\x01"}, KeyType::kEcP256));
  while (custodian->Status().workers < 2) ASSERT_OK(Signs(*custodian, key));
  const auto before = faulty_.Count("C_GenerateKeyPair");
  faulty_.Set({"C_GenerateKeyPair * stall"});
  std::vector<std::thread> makers;
  for (const std::string name : {"second", "third"}) {
    makers.emplace_back([&, name] {
      EXPECT_OK(custodian->Generate({name, name}, KeyType::kEcP256));
    });
  }
  while (faulty_.Count("C_GenerateKeyPair") == before) ASSERT_OK(Signs(*custodian, key));
  for (int i = 0; i < 200; ++i) EXPECT_OK(Signs(*custodian, key));
  EXPECT_EQ(faulty_.Count("C_GenerateKeyPair"), before + 1);
  faulty_.Clear();
  for (std::thread& maker : makers) maker.join();
  ExpectUnmoved(*custodian);
}

// A module may do one thing at a time, as a TPM does: a signature behind a key that is made would
// be taken for hung, and the key be lost with the worker.
TEST_F(SlowTokenTest, AWorkerWithOneThreadIsAskedForNothingWhileItMakesAKey) {
  const auto custodian = Make(1, std::chrono::seconds(5));
  ASSERT_OK_AND_ASSIGN(const CustodialKey key,
                       custodian->Generate({"there", "\x03"}, KeyType::kEcP256));
  ASSERT_OK(Signs(*custodian, key));
  const auto before = faulty_.Count("C_GenerateKeyPair");
  faulty_.Set({"C_GenerateKeyPair * stall", "C_Sign * stall"});
  std::thread maker([&] { EXPECT_OK(custodian->Generate({"slowly", "\x04"}, KeyType::kEcP256)); });
  while (faulty_.Count("C_GenerateKeyPair") == before) std::this_thread::yield();
  // Waits for longer than a worker that hangs is left alone.
  EXPECT_THAT(Signs(*custodian, key), FailsWith(ErrorReason::kKeyUnavailable));
  EXPECT_EQ(custodian->Status().worker_restarts, 0U);
  faulty_.Clear();
  maker.join();
  EXPECT_OK(Signs(*custodian, key));
  EXPECT_EQ(custodian->Status().worker_restarts, 0U);
}

// A batch that was made up when the token was fast.
TEST_F(SlowTokenTest, ABatchThatHasBecomeSlowIsSignedInParts) {
  const auto custodian = Make(1);
  ASSERT_OK_AND_ASSIGN(const CustodialKey key,
                       custodian->Generate({"batches", "\x02"}, KeyType::kEcP256));
  for (int i = 0; i < 50; ++i) ASSERT_OK(Signs(*custodian, key));
  faulty_.Set({"C_Sign * delay 60ms"});
  const std::vector<std::string> digests(60, *Digest(key.type, "message"));
  const auto signatures = custodian->SignDigests(key, digests);
  ASSERT_EQ(signatures.size(), digests.size());
  for (const auto& signature : signatures) {
    ASSERT_OK(signature);
    EXPECT_OK(VerifySignature(key.public_key, key.type, "message", *signature));
  }
  ExpectUnmoved(*custodian);
}

}  // namespace
}  // namespace hourglass::hsm
