#include "issuance/calls/method_kind.h"

#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "hourglass/v1/clock.pb.h"
#include "hourglass/v1/compliance.pb.h"
#include "hourglass/v1/devices.pb.h"
#include "hourglass/v1/issuance.pb.h"
#include "hourglass/v1/journal.pb.h"
#include "hourglass/v1/keys.pb.h"
#include "hourglass/v1/roots.pb.h"
#include "hourglass/v1/tenants.pb.h"

namespace hourglass::issuance {
namespace {

TEST(MethodKindTest, EveryMethodOfTheContractHasOne) {
  std::set<std::string> names;
  for (const google::protobuf::FileDescriptor* file :
       {v1::Clock::descriptor()->file(), v1::Verdict::descriptor()->file(),
        v1::Device::descriptor()->file(), v1::TrustBundle::descriptor()->file(),
        v1::JournalEntry::descriptor()->file(), v1::Key::descriptor()->file(),
        v1::Root::descriptor()->file(), v1::Tenant::descriptor()->file()}) {
    ASSERT_EQ(file->service_count(), 1) << file->name();
    for (int i = 0; i < file->service(0)->method_count(); ++i) {
      const std::string& name = file->service(0)->method(i)->name();
      EXPECT_TRUE(names.insert(name).second) << name << " is in two services";
      const std::optional<MethodKind> kind = KindOfMethod(name);
      ASSERT_TRUE(kind.has_value()) << name;
      if (absl::StartsWith(name, "List") || absl::StartsWith(name, "Get")) {
        EXPECT_EQ(*kind, MethodKind::kListing) << name;
      }
    }
  }
  EXPECT_GE(names.size(), 23U);
}

TEST(MethodKindTest, PromotionsAreOfTheirOwnKind) {
  EXPECT_EQ(KindOfMethod("PromoteRoot"), MethodKind::kPromotion);
  EXPECT_EQ(KindOfMethod("CreateRoot"), MethodKind::kChange);
  EXPECT_EQ(KindOfMethod("IssueCertificates"), MethodKind::kIssuing);
  EXPECT_EQ(KindOfMethod("Promote"), std::nullopt);
}

}  // namespace
}  // namespace hourglass::issuance
