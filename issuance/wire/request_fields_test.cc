#include "issuance/wire/request_fields.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <string>

#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

TEST(RequestFieldsTest, IdsArePrintableAsciiOfABoundedLength) {
  EXPECT_OK(CheckId("7f3c:laptop-1", 128, "device_id"));
  EXPECT_OK(CheckId(std::string(128, 'x'), 128, "device_id"));
  EXPECT_THAT(CheckId("", 128, "device_id"), FailsWith(ErrorReason::kFieldMissing, "device_id"));
  for (const std::string& id : {std::string(129, 'x'), std::string("a b"), std::string("a\0b", 3),
                                std::string("a\n"), std::string("\x7f"), std::string("é")}) {
    EXPECT_THAT(CheckId(id, 128, "device_id"), FailsWith(ErrorReason::kFieldInvalid, "device_id"))
        << id;
  }
}

TEST(RequestFieldsTest, NewDeviceIdsCannotWidenASearch) {
  EXPECT_OK(CheckNewDeviceId("7f3c:laptop-1"));
  EXPECT_OK(CheckNewDeviceId("{6B29FC40-CA47-1067-B31D-00DD010662DA}"));
  EXPECT_THAT(CheckNewDeviceId(""), FailsWith(ErrorReason::kFieldMissing, "device_id"));
  EXPECT_THAT(CheckNewDeviceId(std::string(129, 'x')),
              FailsWith(ErrorReason::kFieldInvalid, "device_id"));
  for (const char* id : {"laptop*", "a)(b", "a,b", "a\\b", "a\"b", "<a>", "a;b", "a b"}) {
    EXPECT_THAT(CheckNewDeviceId(id), FailsWith(ErrorReason::kFieldInvalid, "device_id")) << id;
  }
}

TEST(RequestFieldsTest, ReasonsAreTextOfABoundedLength) {
  EXPECT_OK(CheckReason("gateway 7 is gone: \xC3\xA9t\xC3\xA9", "reason"));
  EXPECT_OK(CheckReason(std::string(256, 'x'), "reason"));
  for (const char* blank : {"", " ", " \t "}) {
    EXPECT_THAT(CheckReason(blank, "reason"), FailsWith(ErrorReason::kFieldMissing, "reason"));
  }
  for (const std::string& reason :
       {std::string(257, 'x'), std::string("a\nb"), std::string("a\0b", 3), std::string("\x7f"),
        std::string("\xC2\x85"), std::string("\xC3")}) {
    EXPECT_THAT(CheckReason(reason, "override_reason"),
                FailsWith(ErrorReason::kFieldInvalid, "override_reason"))
        << reason;
  }
}

TEST(RequestFieldsTest, CallersMayBeCalledAsTheConfigurationAllows) {
  EXPECT_OK(CheckCallerName("VPN gateway 1", "identity"));
  // 64 characters of two octets each.
  std::string name;
  for (int i = 0; i < 64; ++i) name += "\xC3\xA9";
  EXPECT_OK(CheckCallerName(name, "identity"));
  EXPECT_THAT(CheckCallerName("", "identity"), FailsWith(ErrorReason::kFieldMissing, "identity"));
  for (const std::string& bad : {name + "x", std::string("a\tb"), std::string("\xFF")}) {
    EXPECT_THAT(CheckCallerName(bad, "identity"), FailsWith(ErrorReason::kFieldInvalid, "identity"))
        << bad;
  }
}

TEST(RequestFieldsTest, TenantIdsAreLabels) {
  EXPECT_OK(CheckTenantId("contoso"));
  EXPECT_OK(CheckTenantId("a"));
  EXPECT_OK(CheckTenantId("9-lives"));
  EXPECT_OK(CheckTenantId(std::string(63, 'a')));
  EXPECT_THAT(CheckTenantId(""), FailsWith(ErrorReason::kFieldMissing, "tenant_id"));
  for (const std::string& id :
       {std::string(64, 'a'), std::string("Contoso"), std::string("-a"), std::string("a-"),
        std::string("../etc"), std::string("a.b"), std::string("a_b"), std::string("*")}) {
    EXPECT_THAT(CheckTenantId(id), FailsWith(ErrorReason::kFieldInvalid, "tenant_id")) << id;
  }
}

TEST(RequestFieldsTest, PageSizesGoToAThousand) {
  for (const auto& [asked, given] : std::map<std::uint32_t, int>{
           {0, 100}, {1, 1}, {99, 99}, {100, 100}, {101, 101}, {999, 999}, {1000, 1000}}) {
    ASSERT_OK_AND_ASSIGN(const int size, PageSize(asked));
    EXPECT_EQ(size, given);
  }
  for (const std::uint32_t asked : {1001u, 0x7fffffffu, 0x80000000u, 0xffffffffu}) {
    EXPECT_THAT(PageSize(asked), FailsWith(ErrorReason::kFieldInvalid, "page_size")) << asked;
  }
}

}  // namespace
}  // namespace hourglass::issuance
