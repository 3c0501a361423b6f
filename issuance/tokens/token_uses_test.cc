#include "issuance/tokens/token_uses.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "issuance/tokens/testing/token_matchers.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

constexpr std::chrono::sys_seconds kBegin =
    std::chrono::sys_days(std::chrono::year{2026} / 11 / 30);
constexpr std::chrono::seconds kHour = std::chrono::hours(1);

class TokenUsesTest : public testing::Test {
 protected:
  absl::Status Note(TokenUses& uses, const std::string& token, const std::string& request,
                    const std::string& caller = "broker", const std::string& issuer = "i") {
    return uses.Note({.issuer = issuer,
                      .token_id = token,
                      .caller = caller,
                      .request_id = request,
                      .accepted_until = kBegin + kHour},
                     now_);
  }

  Timestamp now_ = kBegin;
};

TEST_F(TokenUsesTest, ATokenIsForOneRequestAndItsRepeats) {
  TokenUses uses({});
  EXPECT_OK(Note(uses, "t", "r-1"));
  EXPECT_OK(Note(uses, "t", "r-1"));
  EXPECT_THAT(Note(uses, "t", "r-2"), IsRefused(TokenFault::kReplayed));
  EXPECT_THAT(Note(uses, "t", ""), IsRefused(TokenFault::kReplayed));
  // What was refused changes nothing.
  EXPECT_OK(Note(uses, "t", "r-1"));
  EXPECT_OK(Note(uses, "u", "r-2"));
  EXPECT_OK(Note(uses, "t", "r-3", "broker", "another issuer"));
  EXPECT_EQ(uses.size(), 3u);
}

TEST_F(TokenUsesTest, ATokenIsTheFirstCallers) {
  for (const TokenReuse reuse : {TokenReuse::kNever, TokenReuse::kSameCaller}) {
    TokenUses uses({.reuse = reuse});
    EXPECT_OK(Note(uses, "t", "r-1", "one"));
    EXPECT_THAT(Note(uses, "t", "r-1", "two"), IsRefused(TokenFault::kUsedByAnotherCaller));
    EXPECT_THAT(Note(uses, "t", "r-2", "two"), IsRefused(TokenFault::kUsedByAnotherCaller));
    EXPECT_OK(Note(uses, "t", "r-1", "one"));
  }
}

// A certificate every 40 minutes for the life of a token.
TEST_F(TokenUsesTest, ATenantMayLetACallerUseItAgain) {
  TokenUses uses({.reuse = TokenReuse::kSameCaller});
  EXPECT_OK(Note(uses, "t", "r-1"));
  now_ += std::chrono::minutes(40);
  EXPECT_OK(Note(uses, "t", "r-2"));
  EXPECT_EQ(uses.size(), 1u);
}

TEST_F(TokenUsesTest, IsRememberedForAsLongAsItIsAccepted) {
  TokenUses uses({});
  EXPECT_OK(Note(uses, "t", "r-1"));
  now_ = kBegin + kHour - std::chrono::microseconds(1);
  EXPECT_THAT(Note(uses, "t", "r-2"), IsRefused(TokenFault::kReplayed));
  now_ = kBegin + kHour + std::chrono::seconds(60);
  // Nobody accepts it any more: this is only that it is forgotten.
  EXPECT_OK(Note(uses, "t", "r-2"));
}

TEST_F(TokenUsesTest, WhatIsFullRefusesUntilSomethingExpires) {
  TokenUses uses({.capacity = 3});
  for (int i = 0; i < 3; ++i) EXPECT_OK(Note(uses, absl::StrCat("t", i), absl::StrCat("r", i)));
  EXPECT_THAT(Note(uses, "t3", "r3"), IsRefused(TokenFault::kTooManyTokens));
  EXPECT_EQ(uses.size(), 3u);
  // Nothing was pushed out, and who is in can repeat.
  EXPECT_THAT(Note(uses, "t0", "r3"), IsRefused(TokenFault::kReplayed));
  EXPECT_OK(Note(uses, "t1", "r1"));
  now_ = kBegin + kHour + std::chrono::seconds(60);
  EXPECT_OK(Note(uses, "t3", "r3"));
  EXPECT_EQ(uses.size(), 1u);
}

TEST_F(TokenUsesTest, ForgetsALittleAtATime) {
  TokenUses uses({});
  for (int i = 0; i < 200; ++i) EXPECT_OK(Note(uses, absl::StrCat("t", i), "r"));
  now_ = kBegin + 2 * kHour;
  EXPECT_OK(Note(uses, "t-new", "r"));
  EXPECT_EQ(uses.size(), 137u);
}

TEST_F(TokenUsesTest, OneOfManyAtOnceIsTheFirst) {
  TokenUses uses({});
  constexpr int kThreads = 8, kTokens = 200;
  std::atomic<int> accepted = 0, refused = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      for (int token = 0; token < kTokens; ++token) {
        const absl::Status status = Note(uses, absl::StrCat(token), absl::StrCat("r", i));
        status.ok() ? ++accepted : ++refused;
        EXPECT_TRUE(status.ok() || TokenFaultOf(status) == TokenFault::kReplayed);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(accepted, kTokens);
  EXPECT_EQ(refused, kTokens * (kThreads - 1));
}

}  // namespace
}  // namespace hourglass::issuance
