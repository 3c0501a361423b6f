#include "issuance/tokens/token_fault.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

constexpr int kLast = static_cast<int>(TokenFault::kTooManyTokens);

TEST(TokenFaultTest, EachHasANameOfItsOwnAndComesBack) {
  std::set<std::string> names;
  for (int i = 1; i <= kLast; ++i) {
    const auto fault = static_cast<TokenFault>(i);
    EXPECT_TRUE(names.insert(std::string(TokenFaultName(fault))).second) << i;
    EXPECT_NE(TokenFaultName(fault), "NONE") << i;
    const absl::Status status = TokenError(fault, "why");
    EXPECT_EQ(TokenFaultOf(status), fault);
    EXPECT_THAT(status.message(), testing::HasSubstr(absl::StrCat(TokenFaultName(fault), ": why")));
    EXPECT_THAT(status, FailsWith(MayPass(fault) ? ErrorReason::kTokenNotJudged
                                                 : ErrorReason::kTokenRefused,
                                  "access_token"));
  }
  EXPECT_EQ(TokenFaultName(static_cast<TokenFault>(kLast + 1)), "NONE");
  EXPECT_EQ(TokenFaultOf(absl::OkStatus()), TokenFault::kNone);
  EXPECT_EQ(TokenFaultOf(absl::UnauthenticatedError("EXPIRED: no")), TokenFault::kNone);
}

// docs/tokens.md has a row for each, and for no other.
TEST(TokenFaultTest, TheDocumentHasThemAll) {
  const std::string document = ReadFileOrDie("docs/tokens.md");
  for (int i = 1; i <= kLast; ++i) {
    EXPECT_THAT(document, testing::HasSubstr(absl::StrCat(
                              "\n| `", TokenFaultName(static_cast<TokenFault>(i)), "` |")));
  }
  int rows = 0;
  for (std::size_t at = 0; (at = document.find("\n| `", at)) != std::string::npos; ++at) {
    rows += absl::ascii_isupper(static_cast<unsigned char>(document[at + 4])) ? 1 : 0;
  }
  EXPECT_EQ(rows, kLast);
}

TEST(TokenFaultTest, WhatIsQuotedSteersNothingAndIsShort) {
  EXPECT_EQ(Quoted("rsa-1"), "'rsa-1'");
  EXPECT_EQ(Quoted("a\nb\x1b[2J\xe2\x80\xae"), "'a\\x0ab\\x1b[2J\\u{202E}'");
  EXPECT_EQ(Quoted(std::string(64, 'x')), absl::StrCat("'", std::string(64, 'x'), "'"));
  EXPECT_EQ(Quoted(std::string(5000, 'x')), absl::StrCat("'", std::string(64, 'x'), "…'"));
}

}  // namespace
}  // namespace hourglass::issuance
