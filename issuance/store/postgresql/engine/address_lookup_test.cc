#include "issuance/store/postgresql/engine/address_lookup.h"

#include "tests/support/status_matchers.h"

namespace hourglass::issuance::postgresql {
namespace {

using testing::Contains;
using testing::ElementsAre;

const Deadline kLater = Deadline::In(std::chrono::minutes(1));

TEST(AddressLookupTest, TakesAddressesAsTheyAre) {
  ASSERT_OK_AND_ASSIGN(const auto ipv4, LookUpAddresses("192.0.2.7", kLater));
  EXPECT_THAT(ipv4, ElementsAre("192.0.2.7"));
  ASSERT_OK_AND_ASSIGN(const auto ipv6, LookUpAddresses("2001:DB8::7", kLater));
  EXPECT_THAT(ipv6, ElementsAre("2001:db8::7"));
  // No name is looked up for them, so that there may be no time.
  EXPECT_OK(LookUpAddresses("192.0.2.7", Deadline::In(std::chrono::milliseconds(0))));
}

TEST(AddressLookupTest, FindsNames) {
  ASSERT_OK_AND_ASSIGN(const auto addresses, LookUpAddresses("localhost", kLater));
  EXPECT_THAT(addresses, Contains("127.0.0.1"));
}

TEST(AddressLookupTest, TellsOfNamesThatAreNotThere) {
  EXPECT_THAT(LookUpAddresses("no-such-host.invalid", kLater),
              FailsWith(ErrorReason::kJournalUnavailable));
}

}  // namespace
}  // namespace hourglass::issuance::postgresql
