#include "hsm/pkcs11/return_code.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace hourglass::hsm {
namespace {

TEST(ReturnCodeTest, ErrorsCarryReasonAndCode) {
  const absl::Status status = Pkcs11Error("pkcs11:token=ca", "C_Sign", CKR_OBJECT_HANDLE_INVALID);
  EXPECT_THAT(status, FailsWith(ErrorReason::kKeyUnavailable, "pkcs11:token=ca"));
  EXPECT_EQ(ReturnCodeOf(status), CKR_OBJECT_HANDLE_INVALID);
  EXPECT_EQ(std::string(status.message()), "pkcs11:token=ca: C_Sign: CKR_OBJECT_HANDLE_INVALID");
  EXPECT_EQ(ReturnCodeOf(absl::InternalError("other")), std::nullopt);
}

TEST(ReturnCodeTest, PinErrorsAreNeverWorthRetrying) {
  for (const CK_RV code : {CKR_PIN_INCORRECT, CKR_PIN_LOCKED, CKR_PIN_EXPIRED, CKR_PIN_INVALID,
                           CKR_PIN_LEN_RANGE, CKR_USER_PIN_NOT_INITIALIZED}) {
    EXPECT_EQ(RemedyOf(code), Remedy::kNone) << ReturnCodeName(code);
    EXPECT_THAT(Pkcs11Error("t", "C_Login", code), FailsWith(ErrorReason::kPinRefused));
  }
}

TEST(ReturnCodeTest, RemediesFollowTheStandard) {
  EXPECT_EQ(RemedyOf(CKR_SESSION_HANDLE_INVALID), Remedy::kNewSession);
  EXPECT_EQ(RemedyOf(CKR_OPERATION_ACTIVE), Remedy::kNewSession);
  EXPECT_EQ(RemedyOf(CKR_USER_NOT_LOGGED_IN), Remedy::kNewSession);
  EXPECT_EQ(RemedyOf(CKR_KEY_HANDLE_INVALID), Remedy::kFindAgain);
  EXPECT_EQ(RemedyOf(CKR_GENERAL_ERROR), Remedy::kNewModule);
  EXPECT_EQ(RemedyOf(CKR_DATA_LEN_RANGE), Remedy::kNone);
}

TEST(ReturnCodeTest, UnknownCodesAreShownAndNotRetried) {
  const CK_RV vendor = CKR_VENDOR_DEFINED | 0x42;
  EXPECT_EQ(ReturnCodeName(vendor), "CKR 0x80000042");
  EXPECT_EQ(RemedyOf(vendor), Remedy::kNone);
  const absl::Status status = Pkcs11Error("t", "C_Sign", vendor);
  EXPECT_THAT(status, FailsWith(ErrorReason::kKeyUnavailable));
  EXPECT_EQ(ReturnCodeOf(status), vendor);
}

}  // namespace
}  // namespace hourglass::hsm
