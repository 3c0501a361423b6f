#include "tests/support/swtpm.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/temporary_directory.h"

namespace hourglass {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr char kZeros[] = "0x0000000000000000000000000000000000000000000000000000000000000000";

TEST(SwtpmTest, KeepsItsStateOverAKillAndAStop) {
  Swtpm tpm;
  const TemporaryDirectory directory;
  const std::string context = directory.File("key");
  tpm.ToolOrDie({"tpm2_createprimary", "-Q", "-C", "o", "-G", "ecc256", "-c", context});
  tpm.ToolOrDie({"tpm2_evictcontrol", "-Q", "-C", "o", "-c", context, "0x81000001"});
  tpm.Kill();
  EXPECT_NE(tpm.Tool({"tpm2_getcap", "handles-persistent"}).exit_code, 0);
  tpm.Start();
  EXPECT_THAT(tpm.ToolOrDie({"tpm2_getcap", "handles-persistent"}), HasSubstr("0x81000001"));
  tpm.Stop();
  tpm.Start();
  EXPECT_THAT(tpm.ToolOrDie({"tpm2_getcap", "handles-persistent"}), HasSubstr("0x81000001"));
}

TEST(SwtpmTest, ExtendsAndResetsRegisters) {
  const Swtpm tpm;
  EXPECT_THAT(tpm.ToolOrDie({"tpm2_pcrread", "sha256:16"}), HasSubstr(kZeros));
  tpm.ExtendRegister(16);
  EXPECT_THAT(tpm.ToolOrDie({"tpm2_pcrread", "sha256:16"}), Not(HasSubstr(kZeros)));
  tpm.ResetRegister(16);
  EXPECT_THAT(tpm.ToolOrDie({"tpm2_pcrread", "sha256:16"}), HasSubstr(kZeros));
}

TEST(SwtpmTest, CountsWrongPinsAndSeesWhatIsLeftBehind) {
  const Swtpm tpm;
  const TemporaryDirectory directory;
  const std::string context = directory.File("key");
  EXPECT_EQ(tpm.Leftovers(), "");
  tpm.ToolOrDie({"tpm2_createprimary", "-Q", "-C", "o", "-G", "ecc256:ecdsa", "-p", "right", "-a",
                 "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign", "-c", context});
  EXPECT_NE(tpm.Leftovers(), "");
  tpm.ToolOrDie({"tpm2_flushcontext", "-t"});
  EXPECT_EQ(tpm.Leftovers(), "");
  EXPECT_EQ(tpm.WrongPins(), 0);
  EXPECT_NE(
      tpm.Tool({"tpm2_sign", "-Q", "-c", context, "-p", "wrong", "-o", context + ".s", context})
          .exit_code,
      0);
  EXPECT_EQ(tpm.WrongPins(), 1);
  tpm.ClearLockout();
  EXPECT_EQ(tpm.WrongPins(), 0);
}

}  // namespace
}  // namespace hourglass
