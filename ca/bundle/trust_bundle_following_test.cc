#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>

#include "ca/bundle/bundle_fixture.h"
#include "ca/bundle/trust_bundle.h"
#include "ca/encoding/digest.h"
#include "tests/support/status_matchers.h"

namespace hourglass::ca {
namespace {

using testing::HasSubstr;

struct Following {
  const char* what;
  std::function<void(TrustBundle&)> change;  // of the known bundle, which makes it the next
  const char* refused_with;                  // nullptr where it follows
};

void Remove(TrustBundle& bundle, std::size_t i) {
  const BundleRoot& root = bundle.roots[i];
  bundle.removed.push_back({root.root_id, Sha256(root.certificate)});
  bundle.roots.erase(bundle.roots.begin() + static_cast<std::ptrdiff_t>(i));
}

const Following kFollowings[] = {
    {"the same again", [](TrustBundle&) {}, nullptr},
    {"a higher version with nothing new", [](TrustBundle& b) { b.version = 18; }, nullptr},
    {"versions left out", [](TrustBundle& b) { b.version = 1'000'000; }, nullptr},
    {"the highest version",
     [](TrustBundle& b) { b.version = std::numeric_limits<std::uint64_t>::max(); }, nullptr},
    {"a root added",
     [](TrustBundle& b) {
       b.version = 18;
       b.roots.push_back({"r4", RootState::kStaged, EcRoot(4).certificate});
     },
     nullptr},
    {"a promotion",
     [](TrustBundle& b) {
       b.version = 18;
       b.roots[1].state = RootState::kRetiring;
       b.roots[2].state = RootState::kPrimary;
     },
     nullptr},
    {"a root removed",
     [](TrustBundle& b) {
       b.version = 18;
       Remove(b, 0);
     },
     nullptr},
    {"every root removed",
     [](TrustBundle& b) {
       b.version = 18;
       while (!b.roots.empty()) Remove(b, 0);
     },
     nullptr},
    {"another that was never known removed",
     [](TrustBundle& b) {
       b.version = 18;
       b.removed.push_back({"r9", Sha256("r9")});
     },
     nullptr},
    {"a clock that went back",
     [](TrustBundle& b) {
       b.version = 18;
       b.changed_at -= std::chrono::hours(1);
     },
     nullptr},
    {"a lower version", [](TrustBundle& b) { b.version = 16; }, "older than version 17"},
    {"the first version", [](TrustBundle& b) { b.version = 1; }, "older than version 17"},
    {"the version with another time",
     [](TrustBundle& b) { b.changed_at += std::chrono::seconds(1); }, "another content"},
    {"the version with another state",
     [](TrustBundle& b) { b.roots[0].state = RootState::kStaged; }, "another content"},
    {"the version with a root removed", [](TrustBundle& b) { Remove(b, 0); }, "another content"},
    {"a root gone",
     [](TrustBundle& b) {
       b.version = 18;
       b.roots.erase(b.roots.begin());
     },
     "root r1 is gone"},
    {"another certificate by the same name",
     [](TrustBundle& b) {
       b.version = 18;
       b.roots[1].certificate = EcRoot(4).certificate;
     },
     "root r2 is gone"},
    {"a removed root back",
     [](TrustBundle& b) {
       b.version = 18;
       b.removed.clear();
       b.roots.push_back({"r0", RootState::kStaged, EcRoot(8).certificate});
     },
     "root r0 was removed, and is back"},
    {"a removed root back by another name",
     [](TrustBundle& b) {
       b.version = 18;
       b.removed.clear();
       b.roots.push_back({"r4", RootState::kPrimary, EcRoot(8).certificate});
     },
     "root r0 was removed, and is back"},
    {"a removal forgotten",
     [](TrustBundle& b) {
       b.version = 18;
       b.removed.clear();
     },
     "not among the removed ones"},
    {"another tenant",
     [](TrustBundle& b) {
       b.version = 18;
       b.tenant_id = "fabrikam";
     },
     "of tenant fabrikam"},
};

TEST(CheckBundleFollowsTest, GoesOnAndNeverBack) {
  TrustBundle known = ThreeRoots();
  known.removed = {{"r0", Sha256(EcRoot(8).certificate)}};
  for (const Following& following : kFollowings) {
    TrustBundle next = known;
    following.change(next);
    const absl::Status status = CheckBundleFollows(known, next);
    if (following.refused_with == nullptr) {
      EXPECT_OK(status) << following.what;
    } else {
      EXPECT_THAT(status, FailsWith(ErrorReason::kBundleInvalid)) << following.what;
      EXPECT_THAT(std::string(status.message()), HasSubstr(following.refused_with));
    }
  }
}

// Whoever sends a follower back and forth gets no further than one step.
TEST(CheckBundleFollowsTest, OfTwoDifferentBundlesNoMoreThanOneFollowsTheOther) {
  BundleGenerator generator;
  int follow = 0;
  for (int i = 0; i < 300; ++i) {
    TrustBundle known = generator.Next();
    TrustBundle next = known;
    if (i % 2 == 0) next.version = known.version == 1 ? 2 : known.version - 1;
    if (i % 3 == 0 && !next.roots.empty()) Remove(next, 0);
    if (i % 5 == 0) next.changed_at = kBundleTime;
    if (next == known) continue;
    const bool goes_on = CheckBundleFollows(known, next).ok();
    EXPECT_FALSE(goes_on && CheckBundleFollows(next, known).ok());
    follow += goes_on || CheckBundleFollows(next, known).ok() ? 1 : 0;
  }
  EXPECT_GT(follow, 50);
}

}  // namespace
}  // namespace hourglass::ca
