#include "tools/client/failure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hsm/base/error.h"

namespace hourglass::client {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Failure, SaysWhatToDoAboutATokenThatIsAway) {
  EXPECT_THAT(FailureInWords(Error(ErrorReason::kKeyUnavailable, "pkcs11:token=contoso",
                                   "no such token is present")),
              AllOf(HasSubstr("KEY_UNAVAILABLE: pkcs11:token=contoso: no such token is present"),
                    HasSubstr("next: check that the token is there (hourglass keys probe --module "
                              "MODULE)")));
}

TEST(Failure, DoesNotSendToTheTokenWhereTheFieldIsAnotherThing) {
  const auto unavailable = [](absl::string_view field) {
    return FailureInWords(Error(ErrorReason::kKeyUnavailable, field, "cannot be read"));
  };
  EXPECT_THAT(unavailable("module-path"),
              AllOf(HasSubstr("next: name the PKCS#11 library"), Not(HasSubstr("SoftHSM"))));
  EXPECT_THAT(unavailable("file:/etc/hourglass/pin"),
              AllOf(HasSubstr("next: put the PIN where"), Not(HasSubstr("SoftHSM"))));
  EXPECT_THAT(unavailable("credential:pin"), HasSubstr("next: put the PIN where"));
  EXPECT_THAT(unavailable("env:PIN"), HasSubstr("next: put the PIN where"));
  EXPECT_THAT(unavailable("tpm:sealed=root1"),
              AllOf(HasSubstr("keys.tpm.tcti"), Not(HasSubstr("SoftHSM"))));
}

TEST(Failure, SaysHowASealedKeyIsOpenedAgain) {
  EXPECT_THAT(FailureInWords(Error(ErrorReason::kKeyUnfit, "tpm:sealed=root1",
                                   "the registers 7 hold something else")),
              HasSubstr("--recovery-code-file FILE"));
  EXPECT_THAT(FailureInWords(Error(ErrorReason::kKeyUnfit, "pkcs11:token=contoso",
                                   "CKA_EXTRACTABLE must be false")),
              AllOf(HasSubstr("hourglass keys probe"), Not(HasSubstr("recovery"))));
}

TEST(Failure, SpeaksOfTheRecoveryCodeWhereOneWasAskedFor) {
  EXPECT_THAT(FailureInWords(Error(ErrorReason::kPinRefused, "tpm:sealed=root1",
                                   "the recovery code is mistyped")),
              HasSubstr("next: give the recovery code"));
  EXPECT_THAT(FailureInWords(Error(ErrorReason::kPinRefused, "pkcs11:token=contoso", "C_Login")),
              AllOf(HasSubstr("next: put the right PIN"), Not(HasSubstr("recovery"))));
  EXPECT_THAT(FailureInWords(Error(ErrorReason::kKeyExists, "--recovery-code-out", "is there")),
              AllOf(HasSubstr("next: name a file"), Not(HasSubstr("keys list"))));
}

}  // namespace
}  // namespace hourglass::client
