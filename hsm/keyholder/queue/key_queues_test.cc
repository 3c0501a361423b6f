#include "hsm/keyholder/queue/key_queues.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/evp.h>

#include <string>
#include <thread>

#include "hsm/base/error.h"
#include "hsm/base/openssl.h"
#include "hsm/key/key_type.h"
#include "hsm/keyholder/queue/pin_stamp.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::hsm {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr SteadyTime kStart{std::chrono::hours(1)};

CustodialKey MakeKey(const std::string& label) {
  const EvpPkeyPtr key(EVP_EC_gen("P-256"));
  return {{label, "\x01"}, KeyType::kEcP256, *EncodePublicKey(*key)};
}

std::shared_ptr<Call> MakeCall() {
  return std::make_shared<Call>(std::string(32, 'x'),
                                std::make_shared<Unanswered>(1, SteadyTime::max()));
}

TEST(KeyQueuesTest, KnowsAKeyByAllThatItIs) {
  KeyQueues keys;
  const CustodialKey first = MakeKey("key");
  ASSERT_OK_AND_ASSIGN(const auto held, keys.Hold(first));
  ASSERT_OK_AND_ASSIGN(const auto again, keys.Hold(first));
  EXPECT_EQ(held, again);
  // Made anew under the same name.
  ASSERT_OK_AND_ASSIGN(const auto other, keys.Hold(MakeKey("key")));
  EXPECT_NE(held, other);
  EXPECT_THAT(keys.Hold({first.selector, KeyType::kEcP384, first.public_key}),
              FailsWith(ErrorReason::kKeyMismatch));
  EXPECT_THAT(keys.Hold({first.selector, KeyType::kEcP256, "nonsense"}),
              FailsWith(ErrorReason::kKeyInvalid));
  EXPECT_NE(keys.Find({"key", ""}), nullptr);
  EXPECT_NE(keys.Find({"key", "\x01"}), nullptr);
  EXPECT_EQ(keys.Find({"key", "\x02"}), nullptr);
}

TEST(KeyQueuesTest, KeysTakeTurns) {
  KeyQueues keys;
  ASSERT_OK_AND_ASSIGN(const auto first, keys.Hold(MakeKey("first")));
  ASSERT_OK_AND_ASSIGN(const auto second, keys.Hold(MakeKey("second")));
  for (int i = 0; i < 3; ++i) keys.Append(first, MakeCall());
  keys.Append(second, MakeCall());

  EXPECT_EQ(keys.NextInTurn(kStart), first);
  EXPECT_EQ(KeyQueues::TakeCalls(*first, 1).size(), 1u);
  EXPECT_EQ(keys.NextInTurn(kStart), second);
  EXPECT_EQ(KeyQueues::TakeCalls(*second, 64).size(), 1u);
  EXPECT_EQ(keys.NextInTurn(kStart), first);
  EXPECT_EQ(KeyQueues::TakeCalls(*first, 64).size(), 2u);
  EXPECT_EQ(keys.NextInTurn(kStart), nullptr);
  // And again after all were gone.
  keys.Append(second, MakeCall());
  EXPECT_EQ(keys.NextInTurn(kStart), second);
}

TEST(KeyQueuesTest, WhatIsPutBackComesFirst) {
  KeyQueues keys;
  ASSERT_OK_AND_ASSIGN(const auto key, keys.Hold(MakeKey("key")));
  const auto one = MakeCall();
  const auto two = MakeCall();
  const auto three = MakeCall();
  keys.Append(key, one);
  keys.Append(key, two);
  ASSERT_EQ(keys.NextInTurn(kStart), key);
  std::vector<std::shared_ptr<Call>> taken = KeyQueues::TakeCalls(*key, 64);
  keys.Append(key, three);
  keys.PutBack(key, std::move(taken));
  ASSERT_EQ(keys.NextInTurn(kStart), key);
  EXPECT_THAT(KeyQueues::TakeCalls(*key, 64), ElementsAre(one, two, three));
}

TEST(KeyQueuesTest, OldWorkersGetNoKeyThatIsInDoubt) {
  KeyQueues keys;
  ASSERT_OK_AND_ASSIGN(const auto doubted, keys.Hold(MakeKey("doubted")));
  ASSERT_OK_AND_ASSIGN(const auto other, keys.Hold(MakeKey("other")));
  const absl::Status error = Error(ErrorReason::kKeyNotFound, "key", "is not there");
  doubted->health.Failed(error, SteadyTime::min(), CustodianCondition(), kStart);
  keys.Append(doubted, MakeCall());
  keys.Append(other, MakeCall());
  EXPECT_EQ(keys.NextInTurn(kStart - seconds(1)), other);
  EXPECT_EQ(keys.NextInTurn(kStart - seconds(1)), other);
  EXPECT_EQ(keys.NextInTurn(kStart), doubted);
}

TEST(KeyQueuesTest, TellsHowLongOneMoreWouldWait) {
  using std::chrono::microseconds;
  using std::chrono::milliseconds;
  KeyQueues keys;
  ASSERT_OK_AND_ASSIGN(const auto slow, keys.Hold(MakeKey("slow")));
  ASSERT_OK_AND_ASSIGN(const auto fast, keys.Hold(MakeKey("fast")));
  EXPECT_EQ(keys.TimeUntilSigned(*slow).count(), 0);
  slow->pace = milliseconds(200);
  fast->pace = microseconds(100);
  EXPECT_EQ(keys.TimeUntilSigned(*slow), milliseconds(200));
  for (int i = 0; i < 4; ++i) keys.Append(slow, MakeCall());
  EXPECT_EQ(keys.TimeUntilSigned(*slow), milliseconds(1000));
  // It comes after one of the slow ones alone.
  EXPECT_EQ(keys.TimeUntilSigned(*fast), microseconds(200'100));
  // A hundred of these are signed in one turn, and the next comes after another slow one.
  for (int i = 0; i < 99; ++i) keys.Append(fast, MakeCall());
  EXPECT_EQ(keys.TimeUntilSigned(*fast), milliseconds(210));
  keys.Append(fast, MakeCall());
  EXPECT_EQ(keys.TimeUntilSigned(*fast), microseconds(410'100));
  EXPECT_EQ(keys.TimeUntilSigned(*slow), milliseconds(1010));
}

TEST(KeyQueuesTest, DropsCallsThatNobodyWaitsFor) {
  KeyQueues keys;
  ASSERT_OK_AND_ASSIGN(const auto key, keys.Hold(MakeKey("key")));
  const auto late = MakeCall();
  const auto in_time = MakeCall();
  const auto removed = MakeCall();
  keys.Append(key, late);
  keys.Append(key, in_time);
  keys.Append(key, removed);
  EXPECT_TRUE(late->Abandon());
  keys.Remove(*key, {removed});
  EXPECT_THAT(KeyQueues::TakeCalls(*key, 64), ElementsAre(in_time));
}

TEST(KeyQueuesTest, ForgetsAKeyWithItsCalls) {
  KeyQueues keys;
  ASSERT_OK_AND_ASSIGN(const auto key, keys.Hold(MakeKey("key")));
  const auto call = MakeCall();
  keys.Append(key, call);
  EXPECT_THAT(keys.Forget({"other", ""}), IsEmpty());
  EXPECT_THAT(keys.Forget({"key", ""}), ElementsAre(call));
  EXPECT_EQ(keys.NextInTurn(kStart), nullptr);
  EXPECT_EQ(keys.Find({"key", ""}), nullptr);
}

TEST(KeyQueuesTest, TestsTheKeysThatAreWaitedForAndTheFourUsedLast) {
  KeyQueues keys;
  std::vector<std::shared_ptr<KeyQueue>> held;
  for (int i = 0; i < 8; ++i) {
    held.push_back(*keys.Hold(MakeKey(std::string(1, static_cast<char>('a' + i)))));
    held.back()->last_used = kStart + seconds(i);
  }
  EXPECT_THAT(keys.KeysToCheck(), ElementsAre(held[7], held[6], held[5], held[4]));
  for (int i = 0; i < 5; ++i) keys.Append(held[static_cast<std::size_t>(i)], MakeCall());
  held[3]->health.Mismatched(kStart, kStart);
  held[3]->health.Mismatched(kStart + seconds(1), kStart);
  EXPECT_THAT(keys.KeysToCheck(), ElementsAre(held[4], held[2], held[1], held[0]));
  keys.Append(held[5], MakeCall());
  EXPECT_THAT(keys.KeysToCheck(), ElementsAre(held[5], held[4], held[2], held[1], held[0]));
}

TEST(CallTest, AllAreAnsweredFromAnotherThread) {
  const auto unanswered = std::make_shared<Unanswered>(2, SteadyTime::clock::now() + seconds(60));
  Call signed_call(std::string(32, 'x'), unanswered);
  Call failed_call(std::string(32, 'y'), unanswered);
  std::thread link([&] {
    failed_call.AnswerError(Error(ErrorReason::kKeyNotFound, "key", "is not there"));
    signed_call.AnswerSignature("signature");
  });
  EXPECT_TRUE(unanswered->Wait());
  link.join();
  ASSERT_OK_AND_ASSIGN(const std::string signature, signed_call.TakeSignature());
  EXPECT_EQ(signature, "signature");
  EXPECT_THAT(failed_call.TakeSignature(), FailsWith(ErrorReason::kKeyNotFound));
}

TEST(CallTest, WhatComesTooLateIsNoAnswer) {
  const auto unanswered = std::make_shared<Unanswered>(2, SteadyTime::clock::now());
  Call early(std::string(32, 'x'), unanswered);
  Call late(std::string(32, 'y'), unanswered);
  early.AnswerSignature("signature");
  EXPECT_FALSE(unanswered->Wait());
  EXPECT_FALSE(early.Abandon());
  EXPECT_TRUE(late.Abandon());
  late.AnswerSignature("signature");
  EXPECT_TRUE(late.abandoned());
  EXPECT_OK(early.TakeSignature().status());
}

TEST(PinStampTest, ChangesWithTheFileAlone) {
  const TemporaryDirectory directory;
  const PinSource source{PinSource::Kind::kFile, directory.File("pin")};
  const PinStamp missing = StampOf(source);
  EXPECT_EQ(missing, PinStamp());
  directory.Write("pin", "1234");
  const PinStamp written = StampOf(source);
  EXPECT_NE(written, missing);
  EXPECT_EQ(StampOf(source), written);
  directory.Write("pin", "12345");
  EXPECT_NE(StampOf(source), written);
  EXPECT_EQ(StampOf(PinSource{PinSource::Kind::kEnvironment, "PIN"}), PinStamp());
  EXPECT_EQ(StampOf(std::nullopt), PinStamp());
}

}  // namespace
}  // namespace hourglass::hsm
