#include "hsm/tpm/response_code.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tss2/tss2_tpm2_types.h>

#include <string>

#include "tests/support/status_matchers.h"

namespace hourglass::hsm {
namespace {

using testing::HasSubstr;

// As swtpm was seen to answer.
constexpr TSS2_RC kUnsealWithWrongPin = 0x98e;   // AUTH_FAIL, session 1
constexpr TSS2_RC kWrongPinWithoutLock = 0x9a2;  // BAD_AUTH, session 1
constexpr TSS2_RC kChangedRegister = 0x99d;      // POLICY_FAIL, session 1
constexpr TSS2_RC kNoSuchHandle = 0x18b;         // HANDLE, handle 1
constexpr TSS2_RC kTamperedBlob = 0x1df;         // INTEGRITY, parameter 1
constexpr TSS2_RC kEsapiBadSequence = 0x70007;
constexpr TSS2_RC kTctiIoError = 0xa000a;

TEST(ResponseCodeTest, NamesCodesWithoutTheirNumbers) {
  EXPECT_EQ(TpmCodeName(kUnsealWithWrongPin), "TPM_RC_AUTH_FAIL");
  EXPECT_EQ(TpmCodeName(kWrongPinWithoutLock), "TPM_RC_BAD_AUTH");
  EXPECT_EQ(TpmCodeName(kTamperedBlob), "TPM_RC_INTEGRITY");
  EXPECT_EQ(TpmCodeName(0x921), "TPM_RC_LOCKOUT");
  EXPECT_EQ(TpmCodeName(0xc0921), "TPM_RC_LOCKOUT");  // through tpm2-abrmd
  EXPECT_EQ(TpmCodeName(0x101), "TPM_RC_FAILURE");
  EXPECT_EQ(TpmCodeName(kTctiIoError), "TSS2_RC 0xa000a");
  EXPECT_EQ(TpmCodeName(0x17e), "TPM_RC 0x17e");
}

TEST(ResponseCodeTest, SaysWhatMayHelp) {
  for (const TSS2_RC lost : {kEsapiBadSequence, kTctiIoError, TSS2_RC{0x90008}}) {
    EXPECT_EQ(TpmRemedyOf(lost), TpmRemedy::kReconnect) << lost;
  }
  for (const TSS2_RC full : {0x902, 0x903, 0xc0902}) {
    EXPECT_EQ(TpmRemedyOf(full), TpmRemedy::kFlush) << full;
  }
  for (const TSS2_RC busy : {TPM2_RC_RETRY, TPM2_RC_YIELDED, TPM2_RC_TESTING}) {
    EXPECT_EQ(TpmRemedyOf(busy), TpmRemedy::kRepeat) << busy;
  }
  for (const TSS2_RC final : {kUnsealWithWrongPin, kWrongPinWithoutLock, TSS2_RC{0x921},
                              TSS2_RC{0x101}, kChangedRegister, kTamperedBlob, TSS2_RC{0x17e}}) {
    EXPECT_EQ(TpmRemedyOf(final), TpmRemedy::kNone) << final;
  }
}

TEST(ResponseCodeTest, TellsClassesApart) {
  EXPECT_TRUE(IsWrongPin(kUnsealWithWrongPin));
  EXPECT_TRUE(IsWrongPin(kWrongPinWithoutLock));
  EXPECT_FALSE(IsWrongPin(0x921));
  EXPECT_FALSE(IsWrongPin(kChangedRegister));
  EXPECT_FALSE(IsWrongPin(0x7098e)) << "ESAPI's own codes are no answers of the TPM";
  EXPECT_TRUE(IsPolicyRefusal(kChangedRegister));
  EXPECT_TRUE(IsPolicyRefusal(TPM2_RC_PCR_CHANGED));
  EXPECT_FALSE(IsPolicyRefusal(kTamperedBlob));
  EXPECT_TRUE(IsMissingHandle(kNoSuchHandle));
  EXPECT_FALSE(IsMissingHandle(kTamperedBlob));
  EXPECT_TRUE(NeedsSomebody(0x921));
  EXPECT_TRUE(NeedsSomebody(0x101));
  EXPECT_FALSE(NeedsSomebody(kUnsealWithWrongPin));
}

TEST(ResponseCodeTest, MakesErrorsThatSayWhatToDo) {
  const absl::Status wrong = TpmError("tpm:", "TPM2_Sign", kUnsealWithWrongPin);
  EXPECT_THAT(wrong, FailsWith(ErrorReason::kPinRefused, "tpm:"));
  EXPECT_EQ(wrong.message(), "tpm:: TPM2_Sign: TPM_RC_AUTH_FAIL");
  EXPECT_EQ(TpmCodeOf(wrong), kUnsealWithWrongPin);

  const absl::Status locked = TpmError("tpm:", "TPM2_Sign", 0x921);
  EXPECT_THAT(locked, FailsWith(ErrorReason::kKeyUnavailable));
  EXPECT_THAT(std::string(locked.message()), HasSubstr("tpm2_dictionarylockout --clear-lockout"));

  EXPECT_THAT(TpmError("tpm:", "TPM2_Create", TPM2_RC_CURVE + TPM2_RC_P + TPM2_RC_2),
              FailsWith(ErrorReason::kKeyUnsupported));
  EXPECT_THAT(TpmError("tpm:", "TPM2_EvictControl", TPM2_RC_NV_DEFINED),
              FailsWith(ErrorReason::kKeyExists));
  EXPECT_EQ(TpmCodeOf(absl::OkStatus()), std::nullopt);
}

}  // namespace
}  // namespace hourglass::hsm
