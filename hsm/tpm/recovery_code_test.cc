#include "hsm/tpm/recovery_code.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/support/status_matchers.h"

namespace hourglass::hsm {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string NewCode() {
  absl::StatusOr<SecretText> code = NewRecoveryCode();
  EXPECT_OK(code.status());
  return code->get();
}

TEST(RecoveryCodeTest, IsRandomInEveryPlace) {
  std::set<std::string> codes;
  std::set<char> in_place[30];
  for (int i = 0; i < 1000; ++i) {
    const std::string code = NewCode();
    EXPECT_THAT(code, testing::MatchesRegex("[A-Z2-7]{30}"));
    for (size_t place = 0; place < 30; ++place) in_place[place].insert(code[place]);
    codes.insert(code);
  }
  EXPECT_EQ(codes.size(), 1000);
  for (const std::set<char>& characters : in_place) EXPECT_EQ(characters.size(), 32);
}

// Its check was computed with sha256sum.
constexpr char kCode[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZWMIY";

TEST(RecoveryCodeTest, IsTakenHoweverItIsTyped) {
  const std::string code = kCode;
  EXPECT_EQ(FormatRecoveryCode(code), "ABCDE-FGHIJ-KLMNO-PQRST-UVWXY-ZWMIY");
  for (const std::string& typed :
       {code, FormatRecoveryCode(code), absl::AsciiStrToLower(FormatRecoveryCode(code)) + "\n",
        absl::StrReplaceAll(FormatRecoveryCode(code), {{"-", " \t"}}),
        absl::StrReplaceAll(code, {{"O", "0"}, {"I", "1"}, {"B", "8"}})}) {
    ASSERT_OK_AND_ASSIGN(const SecretText parsed, ParseRecoveryCode(typed));
    EXPECT_EQ(parsed.get(), code) << typed;
  }
}

TEST(RecoveryCodeTest, IsRefusedWhereItIsMistyped) {
  EXPECT_OK(ParseRecoveryCode(NewCode()).status());
  const std::string code = kCode;
  for (size_t i = 0; i < code.size(); ++i) {
    std::string slip = code;
    slip[i] = slip[i] == 'X' ? 'Y' : 'X';
    const auto refused = ParseRecoveryCode(slip);
    EXPECT_THAT(refused.status(), FailsWith(ErrorReason::kPinRefused)) << i;
    EXPECT_THAT(std::string(refused.status().message()), HasSubstr("mistyped"));
    EXPECT_THAT(std::string(refused.status().message()), Not(HasSubstr(slip)));
    if (i > 0 && code[i] != code[i - 1]) {
      std::string swapped = code;
      std::swap(swapped[i], swapped[i - 1]);
      EXPECT_THAT(ParseRecoveryCode(swapped).status(), FailsWith(ErrorReason::kPinRefused)) << i;
    }
  }
  for (const std::string& wrong :
       {std::string(), code.substr(1), code + "A", std::string(30, '.'), std::string(30, 'A'),
        code.substr(0, 29) + "9", std::string(1 << 20, 'A')}) {
    EXPECT_THAT(ParseRecoveryCode(wrong).status(), FailsWith(ErrorReason::kPinRefused));
  }
}

}  // namespace
}  // namespace hourglass::hsm
