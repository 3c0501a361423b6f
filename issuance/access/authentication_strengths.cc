#include "issuance/access/authentication_strengths.h"

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace hourglass::access {
namespace {

// Each list begins with the one before it. By the names of Graph's authenticationMethodModes.
constexpr absl::string_view kCombinations[] = {
    // Resist phishing.
    "windowsHelloForBusiness",
    "fido2",
    "x509CertificateMultiFactor",
    // Without a password.
    "deviceBasedPush",
    // Multifactor.
    "temporaryAccessPassOneTime",
    "temporaryAccessPassMultiUse",
    "password,microsoftAuthenticatorPush",
    "password,softwareOath",
    "password,hardwareOath",
    "password,sms",
    "password,voice",
    "federatedMultiFactor",
    "microsoftAuthenticatorPush,federatedSingleFactor",
    "softwareOath,federatedSingleFactor",
    "hardwareOath,federatedSingleFactor",
    "sms,federatedSingleFactor",
    "voice,federatedSingleFactor",
};
constexpr std::size_t kPhishingResistant = 3;
constexpr std::size_t kPasswordless = 4;

}  // namespace

std::vector<std::string> CombinationsOf(const AuthenticationStrength& strength) {
  if (!strength.allowed_combinations.empty()) return strength.allowed_combinations;
  absl::Span<const absl::string_view> all(kCombinations);
  if (strength.id == kPhishingResistantStrength) {
    all = all.first(kPhishingResistant);
  } else if (strength.id == kPasswordlessStrength) {
    all = all.first(kPasswordless);
  } else if (strength.id != kMultifactorStrength) {
    return {};
  }
  return {all.begin(), all.end()};
}

}  // namespace hourglass::access
