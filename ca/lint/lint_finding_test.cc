#include "ca/lint/lint_finding.h"

#include <gtest/gtest.h>

namespace hourglass::ca {
namespace {

TEST(FormatFindingsTest, NamesEachRuleWithItsSourceInOrder) {
  EXPECT_EQ(FormatFindings({}), "");
  EXPECT_EQ(FormatFindings({{"key_usage", "RFC 5280 section 4.2.1.3"}}),
            "key_usage (RFC 5280 section 4.2.1.3)");
  EXPECT_EQ(FormatFindings({{"sid", "MS-WCCE"}, {"botan_sid", "Botan"}, {"sid", "MS-WCCE"}}),
            "sid (MS-WCCE), botan_sid (Botan), sid (MS-WCCE)");
}

}  // namespace
}  // namespace hourglass::ca
