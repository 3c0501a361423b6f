#include "tools/doctor/registry_export.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "tests/support/status_matchers.h"

namespace hourglass::doctor {
namespace {

constexpr char kHeader[] = "Windows Registry Editor Version 5.00\r\n\r\n";

RegistryExport Read(absl::string_view body) {
  const auto read = ReadRegistryExport(absl::StrCat(kHeader, body));
  EXPECT_OK(read.status());
  return read.value_or(RegistryExport());
}

TEST(RegistryExportTest, ReadsEveryTypeOfValue) {
  const RegistryExport read = Read(
      "[HKEY_LOCAL_MACHINE\\A b]\r\n; a comment\r\n@=\"default\"\r\n"
      "\"N\"=dword:0000001f\r\n\"Back\\\\slash \\\"q\\\"\"=\"C:\\\\x\"\r\n"
      "\"M\"=hex(7):41,00,\\\r\n  42,00\r\n\"?\"=hex:zz\r\n");
  ASSERT_EQ(read.values.size(), 5U);
  EXPECT_EQ(read.values[0].name, "");
  EXPECT_EQ(read.values[0].text, "default");
  EXPECT_EQ(read.values[1].dword, 31U);
  EXPECT_EQ(read.values[1].line, 6);
  EXPECT_EQ(read.values[2].name, "Back\\slash \"q\"");
  EXPECT_EQ(read.values[2].text, "C:\\x");
  EXPECT_EQ(read.values[3].octets, std::string("A\0B\0", 4));
  EXPECT_EQ(read.values[4].type, RegistryValue::Type::kNotUnderstood);
  EXPECT_EQ(read.values[4].key, "HKEY_LOCAL_MACHINE\\A b");
}

TEST(RegistryExportTest, TheLastWordCounts) {
  const RegistryExport read = Read(
      "[HKEY_LOCAL_MACHINE\\A]\n\"N\"=dword:00000001\n\"O\"=dword:00000001\n"
      "[HKEY_LOCAL_MACHINE\\a\\B]\n\"P\"=dword:00000001\n"
      "[HKEY_LOCAL_MACHINE\\AB]\n\"Q\"=dword:00000001\n"
      "[HKEY_LOCAL_MACHINE\\a]\n\"n\"=dword:00000002\n");
  ASSERT_EQ(read.values.size(), 4U);
  EXPECT_EQ(read.values.back().dword, 2U);
  const RegistryExport deleted = Read(
      "[HKEY_LOCAL_MACHINE\\A]\n\"N\"=dword:00000001\n[HKEY_LOCAL_MACHINE\\a\\B]\n"
      "\"P\"=dword:00000001\n[HKEY_LOCAL_MACHINE\\AB]\n\"Q\"=dword:00000001\n"
      "[-HKEY_LOCAL_MACHINE\\A]\n\"ignored\"=dword:00000001\n"
      "[HKEY_LOCAL_MACHINE\\A\\B]\n\"R\"=dword:00000001\n");
  ASSERT_EQ(deleted.values.size(), 2U);
  EXPECT_EQ(deleted.values[0].name, "Q");
  EXPECT_EQ(deleted.values[1].name, "R");
}

TEST(RegistryExportTest, RefusesWhatIsNone) {
  EXPECT_THAT(ReadRegistryExport("").status(), FailsWith(ErrorReason::kFieldInvalid, ""));
  EXPECT_THAT(ReadRegistryExport("[HKEY_LOCAL_MACHINE\\A]\n").status(),
              FailsWith(ErrorReason::kFieldInvalid, ""));
  EXPECT_THAT(ReadRegistryExport(absl::StrCat(kHeader, "\xE9")).status(),
              FailsWith(ErrorReason::kFieldInvalid, ""));
  EXPECT_THAT(ReadRegistryExport(std::string(kLargestRegistryExport + 1, ' ')).status(),
              FailsWith(ErrorReason::kFieldInvalid, ""));
}

TEST(RegistryExportTest, KnowsControlSets) {
  EXPECT_EQ(BelowControlSet("HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\A"),
            "services\\a");
  EXPECT_EQ(BelowControlSet("hkey_local_machine\\system\\ControlSet001\\Services"), "services");
  EXPECT_FALSE(BelowControlSet("HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet\\Services").has_value());
  EXPECT_FALSE(BelowControlSet("HKEY_LOCAL_MACHINE\\SYSTEM\\Setup").has_value());
  EXPECT_FALSE(BelowControlSet("HKEY_CURRENT_USER\\SYSTEM\\CurrentControlSet\\A").has_value());
}

}  // namespace
}  // namespace hourglass::doctor
