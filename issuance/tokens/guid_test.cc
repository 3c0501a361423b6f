#include "issuance/tokens/guid.h"

#include <gtest/gtest.h>

namespace hourglass::issuance {
namespace {

TEST(GuidTest, IsWrittenInSmallLetters) {
  EXPECT_EQ(CanonicalGuid("6babcaad-604b-40ac-a9d7-9fd97c0b779f"),
            "6babcaad-604b-40ac-a9d7-9fd97c0b779f");
  EXPECT_EQ(CanonicalGuid("6BABCAAD-604B-40AC-A9D7-9FD97C0B779F"),
            "6babcaad-604b-40ac-a9d7-9fd97c0b779f");
}

TEST(GuidTest, NothingElseIsOne) {
  for (const char* other :
       {"", "common", "{6babcaad-604b-40ac-a9d7-9fd97c0b779f}", "6babcaad604b40aca9d79fd97c0b779f",
        "6babcaad-604b-40ac-a9d7-9fd97c0b779g", "6babcaad-604b-40ac-a9d7-9fd97c0b779",
        "6babcaad-604b-40ac-a9d7-9fd97c0b779f ", "6babcaad-604b-40ac-a9d79-fd97c0b779f",
        "6babcaad/604b-40ac-a9d7-9fd97c0b779f"}) {
    EXPECT_EQ(CanonicalGuid(other), "") << other;
  }
}

}  // namespace
}  // namespace hourglass::issuance
