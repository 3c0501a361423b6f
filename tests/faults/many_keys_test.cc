// A token with very many keys.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/faults/fault_world.h"
#include "tests/faults/full_token.h"
#include "tests/support/status_matchers.h"

namespace hourglass {
namespace {

TEST(ManyKeysTest, AThousandInOneToken) {
  TokenWorld world;
  constexpr int kKeys = 1000;
  ASSERT_NO_FATAL_FAILURE(MakeKeys(world.softhsm(), "harmed", 1, kKeys - 1));
  const SteadyTime begun = std::chrono::steady_clock::now();
  ASSERT_OK_AND_ASSIGN(
      const auto last,
      world.store().Open(TokenWorld::HarmedKeyUri(absl::StrCat("key-", kKeys - 1))));
  ASSERT_OK(last->Sign("message"));
  const Milliseconds opened = std::chrono::steady_clock::now() - begun;
  std::printf("opening one of %d keys took %.1f ms\n", kKeys, opened.count());

  std::set<std::string> listed;
  for (const hsm::KeyStore::Place& place : world.store().List()) {
    ASSERT_OK(place.status);
    for (const hsm::KeyStore::StoredKey& key : place.keys) listed.insert(key.public_key);
  }
  EXPECT_EQ(listed.size(), kKeys + 1u);  // and that of the other token
  EXPECT_EQ(listed.count(last->public_key()), 1u);

  const FaultWorld::Outcome outcome = world.Undergo(
      {"workers of a token with 1 000 keys killed", [&] { world.KillWorkers(); }, {}, nullptr});
  EXPECT_THAT(outcome.reasons, testing::IsEmpty());
}

}  // namespace
}  // namespace hourglass
