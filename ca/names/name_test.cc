#include "ca/names/name.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/support/status_matchers.h"

namespace hourglass::ca {
namespace {

std::string Repeat(absl::string_view text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) absl::StrAppend(&out, text);
  return out;
}

TEST(SubjectTest, KeepsWhatItWasGiven) {
  ASSERT_OK_AND_ASSIGN(
      const Subject subject,
      Subject::Create("alice@contoso.example", "f81d4fae-7dec", "S-1-5-21-1-2-3-1105"));
  EXPECT_EQ(subject.upn(), "alice@contoso.example");
  EXPECT_EQ(subject.user_id(), "f81d4fae-7dec");
  EXPECT_EQ(subject.sid(), "S-1-5-21-1-2-3-1105");
  EXPECT_EQ(subject.common_name(), "alice@contoso.example");
}

TEST(SubjectTest, CommonNameIsTheUserIdBehindALongUpn) {
  // 64 characters fit, also where they are 126 octets.
  const std::string fits = absl::StrCat(Repeat("\xc3\xa9", 62), "@c");
  ASSERT_OK_AND_ASSIGN(const Subject short_enough, Subject::Create(fits, ""));
  EXPECT_EQ(short_enough.common_name(), fits);
  const std::string too_long = absl::StrCat(Repeat("a", 63), "@c");
  ASSERT_OK_AND_ASSIGN(const Subject long_upn, Subject::Create(too_long, "id-1"));
  EXPECT_EQ(long_upn.common_name(), "id-1");
  EXPECT_EQ(long_upn.upn(), too_long);
  EXPECT_THAT(Subject::Create(too_long, ""), FailsWith(ErrorReason::kFieldMissing, "user.id"));
}

TEST(SubjectTest, RefusesUpns) {
  EXPECT_OK(Subject::Create("a@b", ""));
  EXPECT_THAT(Subject::Create("", "id"), FailsWith(ErrorReason::kFieldMissing, "user.upn"));
  for (const absl::string_view upn :
       {absl::string_view("a@"), absl::string_view("@bc"), absl::string_view("abc"),
        absl::string_view("ab@"), absl::string_view("a@b@c"), absl::string_view("a\0b@c", 5),
        absl::string_view("a\nb@c"), absl::string_view("a\x7f@c"), absl::string_view("a\xc2\x85@c"),
        absl::string_view("a\xe2\x80\xa8@c"), absl::string_view("a\xff@c"),
        absl::string_view("a\xc0\x80@c")}) {
    EXPECT_THAT(Subject::Create(upn, "id"), FailsWith(ErrorReason::kFieldInvalid, "user.upn"))
        << upn;
  }
}

TEST(SubjectTest, UpnHasAtMost256Octets) {
  EXPECT_OK(Subject::Create(absl::StrCat(Repeat("a", 254), "@c"), "id"));
  EXPECT_THAT(Subject::Create(absl::StrCat(Repeat("a", 255), "@c"), "id"),
              FailsWith(ErrorReason::kFieldInvalid, "user.upn"));
  EXPECT_THAT(Subject::Create(absl::StrCat(Repeat("a", 298), "@c"), "id"),
              FailsWith(ErrorReason::kFieldInvalid, "user.upn"));
}

TEST(SubjectTest, RefusesUserIds) {
  EXPECT_OK(Subject::Create("a@b", Repeat("~", 64)));
  for (const std::string& id :
       {std::string(Repeat("x", 65)), std::string("a b"), std::string("\xc3\xa9"),
        std::string("a\0b", 3), std::string("a\x7f")}) {
    EXPECT_THAT(Subject::Create("a@b", id), FailsWith(ErrorReason::kFieldInvalid, "user.id")) << id;
  }
}

TEST(SubjectTest, RefusesSids) {
  for (const char* sid : {"S-1-5-21-1496966362-3320961333-4044918980-1105", "S-1-5-32-544",
                          "S-1-0-0", "S-1-12-1-4294967295-0-1-2"}) {
    EXPECT_OK(Subject::Create("a@b", "", sid)) << sid;
  }
  // Fifteen subauthorities, the most.
  EXPECT_OK(Subject::Create("a@b", "", absl::StrCat("S-1-5", Repeat("-1", 15))));
  const std::string too_many = absl::StrCat("S-1-5", Repeat("-1", 16));
  const std::string too_long = absl::StrCat("S-1-5", Repeat("-4294967295", 10));
  for (const std::string& sid :
       {std::string("S-1-5"), std::string("s-1-5-21"), std::string("S-2-5-21"),
        std::string("S-1-5-"), std::string("S-1-5-021"), std::string("S-1-5-4294967296"),
        std::string("S-1-5-+1"), std::string("S-1-5- 1"), std::string("S-1-5-21\n"),
        std::string("S-1-5-21-x"), too_many, too_long}) {
    EXPECT_THAT(Subject::Create("a@b", "", sid), FailsWith(ErrorReason::kFieldInvalid, "user.sid"))
        << sid;
  }
}

}  // namespace
}  // namespace hourglass::ca
