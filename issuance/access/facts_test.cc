#include "issuance/access/facts.h"

#include <gtest/gtest.h>

#include "issuance/access/device_view.h"
#include "issuance/access/truth.h"

namespace hourglass::access {
namespace {

TEST(FactsTest, KnowsPlatformsByWholeNames) {
  EXPECT_EQ(PlatformOf("Windows"), Platform::kWindows);
  EXPECT_EQ(PlatformOf("WINDOWSPHONE"), Platform::kWindowsPhone);
  EXPECT_EQ(PlatformOf("iPad"), Platform::kIos);
  EXPECT_EQ(PlatformOf("AndroidForWork"), Platform::kAndroid);
  EXPECT_EQ(PlatformOf("MacMDM"), Platform::kMacOs);
  EXPECT_EQ(PlatformOf("Linux"), Platform::kLinux);
  EXPECT_EQ(PlatformOf("ChromeOS"), Platform::kUnlisted);
  EXPECT_EQ(PlatformOf("Windows CE"), Platform::kUnlisted);
  EXPECT_EQ(PlatformOf(" "), std::nullopt);
}

TEST(FactsTest, EveryAttributeHasItsName) {
  for (std::size_t i = 0; i < kDeviceAttributes; ++i) {
    const auto attribute = static_cast<DeviceAttribute>(i);
    EXPECT_EQ(AttributeOfName(AttributeName(attribute)), attribute);
  }
  EXPECT_EQ(AttributeName(DeviceAttribute::kExtensionAttribute15), "extensionAttribute15");
  EXPECT_EQ(AttributeOfName("extensionAttribute16"), std::nullopt);
  EXPECT_EQ(AttributeOfName("extensionAttribute01"), std::nullopt);
}

TEST(FactsTest, EveryTermHasItsName) {
  for (const auto& named : GraphNames<BuiltInControl>()) {
    EXPECT_EQ(FromGraphName<BuiltInControl>(named.name), named.value);
  }
  EXPECT_EQ(FromGraphName<ClientApp>("MOBILEAPPSANDDESKTOPCLIENTS"),
            ClientApp::kMobileAppsAndDesktopClients);
  EXPECT_EQ(FromGraphName<ClientApp>(""), std::nullopt);
  EXPECT_EQ(GraphName(Platform::kUnlisted), "");
}

TEST(FactsTest, IdsAreKnownInWhateverCase) {
  const IdSet ids({"AbC-1"});
  EXPECT_TRUE(ids.Has("aBc-1"));
  EXPECT_FALSE(ids.Has("abc"));
  EXPECT_FALSE(IdSet().Has(""));
}

TEST(FactsTest, WhatIsNotKnownIsNeitherTrueNorFalse) {
  EXPECT_EQ(And(Truth::kUnknown, Truth::kNo), Truth::kNo);
  EXPECT_EQ(And(Truth::kUnknown, Truth::kYes), Truth::kUnknown);
  EXPECT_EQ(Or(Truth::kUnknown, Truth::kYes), Truth::kYes);
  EXPECT_EQ(Or(Truth::kUnknown, Truth::kNo), Truth::kUnknown);
  EXPECT_EQ(Not(Truth::kUnknown), Truth::kUnknown);
  EXPECT_EQ(Known(std::optional<bool>()), Truth::kUnknown);
}

TEST(FactsTest, AttributesOfWhatIsSaidElsewhereComeFromThere) {
  DeviceFacts device;
  device.registered = true;
  device.trust_type = TrustType::kServerAd;
  device.compliance = ComplianceState::kInGracePeriod;
  const DeviceView lenient(device, true);
  const DeviceView strict(device, false);
  EXPECT_EQ(lenient.Attribute(DeviceAttribute::kTrustType).values[0], "ServerAD");
  EXPECT_EQ(lenient.Attribute(DeviceAttribute::kIsCompliant).values[0], "True");
  EXPECT_EQ(strict.Attribute(DeviceAttribute::kIsCompliant).values[0], "False");
  EXPECT_EQ(strict.Attribute(DeviceAttribute::kDeviceOwnership).kind,
            AttributeState::Kind::kUnknown);
}

}  // namespace
}  // namespace hourglass::access
