// A token that signs wrongly: the key is used no more, and everybody hears of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "absl/strings/match.h"
#include "tests/faults/fault_world.h"
#include "tests/support/status_matchers.h"

namespace hourglass {
namespace {

using testing::ElementsAre;

TEST(WrongSignatureTest, TakesTheKeyOutOfServiceAndNoOther) {
  TokenWorld world;
  ASSERT_OK_AND_ASSIGN(const auto second, world.store().Generate(TokenWorld::HarmedKeyUri("second"),
                                                                 hsm::KeyType::kEcP256));
  world.load().Continue(std::chrono::milliseconds(200));
  EXPECT_EQ(world.load().wrong_signatures(), 0);
  EXPECT_THAT(world.observer().keys_out_of_service(), testing::IsEmpty());

  const SteadyTime begun = std::chrono::steady_clock::now();
  world.faulty().Set({"C_Sign 1 wrong-signature"});
  world.load().Continue(std::chrono::milliseconds(500));
  ASSERT_TRUE(
      world.load().WaitForAnswer(0, std::chrono::steady_clock::now(), std::chrono::seconds(10)));
  EXPECT_EQ(world.load().wrong_signatures(), 1);
  EXPECT_THAT(world.observer().keys_out_of_service(), ElementsAre(TokenWorld::HarmedKeyUri()));
  int refused = 0, good_after = 0;
  for (const SignCall& call : world.load().Calls(0, begun)) {
    if (call.good()) {
      if (refused > 0) ++good_after;
      continue;
    }
    EXPECT_EQ(call.reason, ErrorReason::kKeyMismatch);
    ++refused;
  }
  EXPECT_GT(refused, 10);
  // What the other five threads had asked for before.
  EXPECT_LE(good_after, 5);
  AddToTable({.fault = "one wrong signature",
              .what_happened = "key out of service; KEY_MISMATCH until a restart",
              .calls_failed = refused});

  // The token itself is right again, but who knows for how long.
  EXPECT_THAT(world.store().Open(TokenWorld::HarmedKeyUri()), FailsWith(ErrorReason::kKeyMismatch));
  EXPECT_OK(second->Sign("message"));
  EXPECT_TRUE(
      world.load().WaitForGood(1, std::chrono::steady_clock::now(), std::chrono::seconds(5)));
  int marked = 0;
  for (const hsm::KeyStore::Place& place : world.store().List()) {
    for (const hsm::KeyStore::StoredKey& key : place.keys) {
      if (key.out_of_service) {
        EXPECT_TRUE(absl::StrContains(key.uri, "object=k"));
        ++marked;
      }
    }
  }
  EXPECT_EQ(marked, 1);
}

}  // namespace
}  // namespace hourglass
