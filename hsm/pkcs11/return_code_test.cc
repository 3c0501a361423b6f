#include "hsm/pkcs11/return_code.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

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
  for (const CK_RV code :
       {CKR_PIN_INCORRECT, CKR_PIN_LOCKED, CKR_PIN_EXPIRED, CKR_PIN_INVALID, CKR_PIN_LEN_RANGE}) {
    EXPECT_EQ(RemedyOf(code), Remedy::kNone) << ReturnCodeName(code);
    EXPECT_TRUE(RefusesThePin(code)) << ReturnCodeName(code);
    EXPECT_THAT(Pkcs11Error("t", "C_Login", code), FailsWith(ErrorReason::kPinRefused));
  }
}

TEST(ReturnCodeTest, WhatIsNotOfThePinDoesNotRefuseIt) {
  for (const CK_RV code : {CKR_DEVICE_ERROR, CKR_FUNCTION_FAILED, CKR_GENERAL_ERROR,
                           CKR_TOKEN_NOT_PRESENT, CKR_USER_PIN_NOT_INITIALIZED}) {
    EXPECT_TRUE(IsNamed(code)) << ReturnCodeName(code);
    EXPECT_FALSE(RefusesThePin(code)) << ReturnCodeName(code);
    EXPECT_THAT(Pkcs11Error("t", "C_Login", code), FailsWith(ErrorReason::kKeyUnavailable));
  }
}

TEST(ReturnCodeTest, RemediesFollowTheStandardAndWhatModulesDo) {
  const struct {
    Remedy remedy;
    std::vector<CK_RV> codes;
  } kClasses[] = {
      {Remedy::kNewSession,
       {CKR_SESSION_HANDLE_INVALID, CKR_SESSION_CLOSED, CKR_OPERATION_ACTIVE,
        CKR_OPERATION_NOT_INITIALIZED, CKR_USER_NOT_LOGGED_IN, CKR_DEVICE_ERROR,
        CKR_FUNCTION_FAILED, CKR_FUNCTION_CANCELED}},
      {Remedy::kFindAgain, {CKR_KEY_HANDLE_INVALID, CKR_OBJECT_HANDLE_INVALID}},
      {Remedy::kFindToken,
       {CKR_DEVICE_REMOVED, CKR_TOKEN_NOT_PRESENT, CKR_TOKEN_NOT_RECOGNIZED, CKR_SLOT_ID_INVALID}},
      {Remedy::kFewerSessions, {CKR_SESSION_COUNT, CKR_DEVICE_MEMORY, CKR_HOST_MEMORY, 0x201}},
      {Remedy::kNewModule,
       {CKR_GENERAL_ERROR, CKR_CRYPTOKI_NOT_INITIALIZED, CKR_MUTEX_BAD, CKR_FIPS_SELF_TEST_FAILED}},
      {Remedy::kNone,
       {CKR_DATA_LEN_RANGE, CKR_ARGUMENTS_BAD, CKR_MECHANISM_INVALID, CKR_KEY_TYPE_INCONSISTENT,
        CKR_KEY_FUNCTION_NOT_PERMITTED, CKR_TOKEN_WRITE_PROTECTED}},
  };
  for (const auto& row : kClasses) {
    for (const CK_RV code : row.codes)
      EXPECT_EQ(RemedyOf(code), row.remedy) << ReturnCodeName(code);
  }
}

TEST(ReturnCodeTest, OfUnknownCodesNothingIsKnown) {
  const CK_RV vendor = CKR_VENDOR_DEFINED | 0x42;
  EXPECT_EQ(ReturnCodeName(vendor), "CKR 0x80000042");
  EXPECT_EQ(RemedyOf(vendor), Remedy::kNewSession);
  EXPECT_FALSE(IsNamed(vendor));
  EXPECT_FALSE(RefusesThePin(vendor));
  const absl::Status status = Pkcs11Error("t", "C_Sign", vendor);
  EXPECT_THAT(status, FailsWith(ErrorReason::kKeyUnavailable));
  EXPECT_EQ(ReturnCodeOf(status), vendor);
}

}  // namespace
}  // namespace hourglass::hsm
