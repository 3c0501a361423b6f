#include "hsm/keyholder/queue/waiting_calls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/evp.h>

#include <string>
#include <utility>

#include "hsm/base/openssl.h"
#include "hsm/key/key_type.h"
#include "tests/support/status_matchers.h"

namespace hourglass::hsm {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr SteadyTime kStart{std::chrono::hours(1)};
constexpr SteadyTime kNow = kStart + seconds(10);

std::shared_ptr<Unanswered> Forever() { return std::make_shared<Unanswered>(1, SteadyTime::max()); }

std::shared_ptr<Call> Digest() { return std::make_shared<Call>(std::string(32, 'x'), Forever()); }

std::shared_ptr<Call> Opening() {
  keyholder::Request request;
  request.mutable_open()->set_label("key");
  return std::make_shared<Call>(std::move(request), seconds(1), Forever());
}

std::shared_ptr<Call> Listing() {
  keyholder::Request request;
  request.mutable_list();
  return std::make_shared<Call>(std::move(request), seconds(1), Forever());
}

std::shared_ptr<Call> Generation() {
  keyholder::Request request;
  request.mutable_generate()->mutable_key()->set_label("key");
  return std::make_shared<Call>(std::move(request), seconds(1), Forever());
}

class WaitingCallsTest : public ::testing::Test {
 protected:
  std::shared_ptr<KeyQueue> Key(const std::string& label) {
    const EvpPkeyPtr key(EVP_EC_gen("P-256"));
    return *calls_.Hold({{label, "\x01"}, KeyType::kEcP256, *EncodePublicKey(*key)});
  }

  // An idle worker that may be given anything.
  WaitingCalls::Room room_{kStart, 0, true, true, true, true, 1};
  WaitingCalls calls_;
};

TEST_F(WaitingCallsTest, OthersGoBeforeSignatures) {
  EXPECT_EQ(calls_.Take(room_, kNow), std::nullopt);
  const auto key = Key("key");
  const auto signature = Digest();
  const auto first = Opening();
  const auto second = Opening();
  calls_.Append(key, signature);
  calls_.AppendOther(first);
  calls_.AppendOther(second);
  EXPECT_EQ(calls_.others(), 2u);
  EXPECT_THAT(calls_.Take(room_, kNow)->calls, ElementsAre(first));
  const Work other = *calls_.Take(room_, kNow);
  EXPECT_EQ(other.key, nullptr);
  EXPECT_THAT(other.calls, ElementsAre(second));
  EXPECT_EQ(other.overdue_at, SteadyTime::max());
  const Work work = *calls_.Take(room_, kNow);
  EXPECT_EQ(work.key, key);
  EXPECT_THAT(work.calls, ElementsAre(signature));
  EXPECT_EQ(calls_.Take(room_, kNow), std::nullopt);
}

TEST_F(WaitingCallsTest, NothingOvertakesACallThatWaitsForAThread) {
  calls_.Append(Key("key"), Digest());
  const auto opening = Opening();
  calls_.AppendOther(opening);
  room_.others = false;
  const std::optional<Work> none = calls_.Take(room_, kNow);
  ASSERT_TRUE(none.has_value());
  EXPECT_EQ(none->key, nullptr);
  EXPECT_THAT(none->calls, IsEmpty());
  // What makes keys has a thread of its own.
  const auto generation = Generation();
  calls_.Remove(nullptr, {opening});
  calls_.AppendOther(generation);
  EXPECT_THAT(calls_.Take(room_, kNow)->calls, ElementsAre(generation));
  EXPECT_NE(calls_.Take(room_, kNow)->key, nullptr);
}

TEST_F(WaitingCallsTest, AWorkerGetsNoCallThatItHasNoRoomFor) {
  const auto listing = Listing();
  const auto generation = Generation();
  calls_.AppendOther(listing);
  calls_.AppendOther(generation);
  room_.lists = false;
  room_.administers = false;
  EXPECT_EQ(calls_.Take(room_, kNow), std::nullopt);
  room_.administers = true;
  room_.minutes = false;
  EXPECT_EQ(calls_.Take(room_, kNow), std::nullopt);
  room_.minutes = true;
  EXPECT_THAT(calls_.Take(room_, kNow)->calls, ElementsAre(generation));
  room_.lists = true;
  EXPECT_THAT(calls_.Take(room_, kNow)->calls, ElementsAre(listing));
}

TEST_F(WaitingCallsTest, OnlyAYoungerWorkerAnswersACallInDoubt) {
  const auto opening = Opening();
  opening->worker_since = kStart + seconds(1);
  calls_.AppendOther(opening);
  EXPECT_EQ(calls_.Take(room_, kNow), std::nullopt);
  // No other one will come.
  calls_.TrustAllWorkers();
  EXPECT_THAT(calls_.Take(room_, kNow)->calls, ElementsAre(opening));
}

TEST_F(WaitingCallsTest, WorkersShareWhatWaits) {
  const auto key = Key("key");
  for (int i = 0; i < 9; ++i) calls_.Append(key, Digest());
  // Of a key whose pace is not known one is tried.
  EXPECT_THAT(calls_.Take(room_, kNow)->calls, SizeIs(1));
  calls_.NotePace(*key, std::chrono::microseconds(10));
  room_.takers = 2;
  EXPECT_THAT(calls_.Take(room_, kNow)->calls, SizeIs(4));
  room_.takers = 1;
  EXPECT_THAT(calls_.Take(room_, kNow)->calls, SizeIs(4));
}

TEST_F(WaitingCallsTest, WhatComesAfterOtherWorkIsOverdueLater) {
  const auto key = Key("key");
  calls_.NotePace(*key, milliseconds(10));
  calls_.Append(key, Digest());
  EXPECT_EQ(calls_.Take(room_, kNow)->overdue_at, kNow + milliseconds(200));
  calls_.Append(key, Digest());
  room_.outstanding = 1;
  EXPECT_EQ(calls_.Take(room_, kNow)->overdue_at, kNow + milliseconds(400));
}

TEST_F(WaitingCallsTest, WhatIsPutBackComesFirst) {
  const auto key = Key("key");
  calls_.NotePace(*key, std::chrono::microseconds(10));
  const auto signature = Digest();
  calls_.Append(key, signature);
  const auto first = Opening();
  const auto second = Opening();
  calls_.AppendOther(first);
  calls_.AppendOther(second);
  calls_.PutBack(*calls_.Take(room_, kNow));
  EXPECT_THAT(calls_.TakeOthers(), ElementsAre(first, second));
  Work work = *calls_.Take(room_, kNow);
  ASSERT_THAT(work.calls, ElementsAre(signature));
  const auto later = Digest();
  calls_.Append(key, later);
  calls_.PutBack(std::move(work));
  EXPECT_THAT(calls_.Take(room_, kNow)->calls, ElementsAre(signature, later));
}

TEST_F(WaitingCallsTest, RemovesTheCallsOfWhoeverWaitsNoLonger) {
  const auto key = Key("key");
  const auto gone = Digest();
  const auto stays = Digest();
  const auto other_gone = Opening();
  const auto other_stays = Opening();
  calls_.Append(key, gone);
  calls_.Append(key, stays);
  calls_.AppendOther(other_gone);
  calls_.AppendOther(other_stays);
  calls_.Remove(key.get(), {gone});
  calls_.Remove(nullptr, {other_gone});
  EXPECT_THAT(calls_.TakeSignatures(), ElementsAre(stays));
  EXPECT_THAT(calls_.TakeOthers(), ElementsAre(other_stays));
  EXPECT_EQ(calls_.others(), 0u);
}

TEST_F(WaitingCallsTest, TellsWhoseTurnWouldComeTooLate) {
  const auto key = Key("key");
  // Nothing is known of its pace.
  EXPECT_EQ(calls_.TooLate(*key, 1000, 1, seconds(1)), std::nullopt);
  calls_.NotePace(*key, milliseconds(300));
  for (int i = 0; i < 3; ++i) calls_.Append(key, Digest());
  EXPECT_EQ(calls_.TooLate(*key, 4, 1, milliseconds(1200)), std::nullopt);
  EXPECT_EQ(calls_.TooLate(*key, 4, 1, milliseconds(1199)), milliseconds(1200));
  EXPECT_EQ(calls_.TooLate(*key, 4, 2, milliseconds(1199)), std::nullopt);
  EXPECT_EQ(calls_.TooLate(*key, 4, 2, milliseconds(599)), milliseconds(600));
  // No worker is ready: it is not known how many there will be.
  EXPECT_EQ(calls_.TooLate(*key, 4, 0, milliseconds(1)), std::nullopt);
  // A fast key whose turn comes soon is not late for the slow one's sake.
  const auto fast = Key("fast");
  calls_.NotePace(*fast, milliseconds(1));
  EXPECT_EQ(calls_.TooLate(*fast, 5, 1, milliseconds(400)), std::nullopt);
}

TEST_F(WaitingCallsTest, ThePaceIsAMeanThatAStallMovesLittle) {
  const auto key = Key("key");
  calls_.NotePace(*key, milliseconds(8));
  EXPECT_EQ(key->one_signature, milliseconds(8));
  EXPECT_EQ(key->pace, milliseconds(8));
  calls_.NotePace(*key, seconds(8));
  EXPECT_EQ(key->one_signature, milliseconds(1007));
  EXPECT_EQ(key->pace, milliseconds(15));
}

}  // namespace
}  // namespace hourglass::hsm
