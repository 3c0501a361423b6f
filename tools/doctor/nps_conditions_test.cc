#include "tools/doctor/nps_conditions.h"

#include <gtest/gtest.h>

#include "tools/doctor/object_identifier.h"

namespace hourglass::doctor {
namespace {

TEST(NpsConditionsTest, PortTypes) {
  EXPECT_EQ(MatchOfCondition("MATCH(\"NAS-Port-Type=^5$\")"), NpsMatch::kAlways);
  EXPECT_EQ(MatchOfCondition("MATCH(\"NAS-Port-Type=^19$|^5$\")"), NpsMatch::kAlways);
  EXPECT_EQ(MatchOfCondition("MATCH(\"NAS-Port-Type=5\")"), NpsMatch::kAlways);
  EXPECT_EQ(MatchOfCondition("MATCH(\"NAS-Port-Type=^19$|^15$\")"), NpsMatch::kNever);
  EXPECT_EQ(MatchOfCondition("MATCH(\"NAS-Port-Type=^15$\")"), NpsMatch::kNever);
  EXPECT_EQ(MatchOfCondition("MATCH(\"NAS-Port-Type=[0-9]\")"), NpsMatch::kNotUnderstood);
}

TEST(NpsConditionsTest, Times) {
  EXPECT_EQ(MatchOfCondition("TIMEOFDAY(\"0 00:00-24:00; 1 00:00-24:00; 2 00:00-24:00; 3 "
                             "00:00-24:00; 4 00:00-24:00; 5 00:00-24:00; 6 00:00-24:00\")"),
            NpsMatch::kAlways);
  EXPECT_EQ(MatchOfCondition("TIMEOFDAY(\"1 08:00-18:00\")"), NpsMatch::kSometimes);
}

TEST(NpsConditionsTest, AllMustHold) {
  const std::string vpn = "MATCH(\"NAS-Port-Type=^5$\")";
  const std::string group = "USERNTGROUPS(\"S-1-5-21-1-2-3-1107\",\"S-1-5-21-1-2-3-1108\")";
  EXPECT_EQ(MatchOfConditions({}), NpsMatch::kAlways);
  EXPECT_EQ(MatchOfConditions({vpn}), NpsMatch::kAlways);
  EXPECT_EQ(MatchOfConditions({vpn, group}), NpsMatch::kSometimes);
  EXPECT_EQ(MatchOfConditions({group, "HCAP(1)"}), NpsMatch::kNotUnderstood);
  EXPECT_EQ(MatchOfConditions({"HCAP(1)", "MATCH(\"NAS-Port-Type=^19$\")"}), NpsMatch::kNever);
  EXPECT_TRUE(AsksForRras({vpn, "MATCH(\"MS-RAS-Vendor=^311$\")"}));
  EXPECT_FALSE(AsksForRras({vpn, group}));
}

TEST(ObjectIdentifierTest, TellsTheOidFromItsMisses) {
  EXPECT_TRUE(IsNearConditionalAccessOid("1.3.6.1.4.1.311.87"));
  EXPECT_EQ(FaultOfOid("1.3.6.1.4.1.311.87"), "");
  for (const char* miss : {"1.3.6.1.4.1.311.87.", "1.3.6.1.4.1.311.87.1", "1.3.6.1.4.1.311.871",
                           "1.3.6.1.4.1.311.8", "1.3.6.1.4.1.311.8.7", "1.3.6.1.4.1.311. 87",
                           "1,3,6,1,4,1,311,87", "OID 1.3.6.1.4.1.311.87"}) {
    EXPECT_TRUE(IsNearConditionalAccessOid(miss)) << miss;
    EXPECT_NE(FaultOfOid(miss), "") << miss;
  }
  for (const char* other :
       {"1.3.6.1.5.5.7.3.2", "1.3.6.1.4.1.311.20.2.2", "1.3.6.1.4.1.311.80.1", "", "VPN users"}) {
    EXPECT_FALSE(IsNearConditionalAccessOid(other)) << other;
  }
}

TEST(ObjectIdentifierTest, KnowsDottedOids) {
  EXPECT_TRUE(IsDottedOid("1.3.6.1.5.5.7.3.2"));
  for (const char* other :
       {"1.3.6", "1.3.6.1.", ".1.3.6.1", "3.3.6.1", "1.3.6.x", "10.0.0.1", ""}) {
    EXPECT_FALSE(IsDottedOid(other)) << other;
  }
}

}  // namespace
}  // namespace hourglass::doctor
