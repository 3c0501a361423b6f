#include "issuance/store/postgresql/tables/postgresql_relying_parties.h"

#include <gmock/gmock.h>

#include <chrono>
#include <string>
#include <vector>

#include "issuance/store/postgresql/tables/postgresql_administrative_actions.h"
#include "issuance/store/postgresql/tables/postgresql_roots.h"
#include "issuance/store/postgresql/tables/testing/tables_test.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance::postgresql {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class PostgresqlRelyingPartiesTest : public TablesTest {
 protected:
  absl::Status Add(const RelyingPartyRecord& party) {
    return Change([&](Connection& c) { return AddRelyingParty(c, party, SampleCause()); });
  }
  absl::Status Remove(const std::string& name, const std::string& tenant = "contoso") {
    return Change(
        [&](Connection& c) { return RemoveRelyingParty(c, tenant, name, SampleCause()).status(); });
  }
  absl::Status Note(const Acknowledgement& acknowledgement, const ChangeCause& cause) {
    return Change([&](Connection& c) { return Acknowledge(c, acknowledgement, cause).status(); });
  }
  absl::Status Note(const std::string& name, std::uint64_t version) {
    return Note(SampleAcknowledgement(name, version), SampleCause());
  }
  absl::Status Fetched(const std::string& identity, std::uint64_t version, int at,
                       const std::string& tenant = "contoso") {
    return NoteFetched(*connection_, tenant, identity, version, SampleTime(at));
  }
  // Raises the tenant's revision by one.
  void AddRootOf(int generation) {
    ASSERT_OK(Change([&](Connection& c) { return AddRoot(c, SampleRoot(generation)); }));
  }
  std::vector<RelyingPartyRecord> All(absl::string_view tenant = kSampleTenant) {
    return ListRelyingParties(*connection_, tenant).value();
  }
  // The actions of the tenant that are of relying parties, newest first.
  std::vector<std::string> Actions() {
    std::vector<std::string> actions;
    const auto page = ListAdministrativeActions(*connection_, kSampleTenant, kMaxPageSize, "");
    for (const AdministrativeAction& action : page->records) {
      if (action.action != "root_created") actions.push_back(action.action + " " + action.subject);
    }
    return actions;
  }
};

TEST_F(PostgresqlRelyingPartiesTest, ARelyingPartyIsReadBackInEveryField) {
  RelyingPartyRecord party;
  party.tenant_id = "contoso";
  party.name = std::string("name ") + kUnusualText;
  party.identity = std::string("identity ") + kUnusualText;
  party.kind = std::string("kind ") + kUnusualText;
  party.is_manual = true;
  party.registered_at = SampleCause().now;
  ASSERT_OK(Add(party));
  EXPECT_THAT(All(), ElementsAre(party));
  AddRootOf(1);
  party.fetched_version = 1;
  party.fetched_at = SampleTime(5);
  ASSERT_OK(Fetched(party.identity, 1, 5));
  party.acknowledged_version = 1;
  party.acknowledged_sha256 = AllOctets();
  party.acknowledged_at = Timestamp(std::chrono::microseconds(-1));
  party.acknowledged_by = std::string("by ") + kUnusualText;
  // It is manual: whatever its identity, an administrator says so.
  ASSERT_OK(Note({"contoso", party.name, "", 1, AllOctets()},
                 {*party.acknowledged_at, party.acknowledged_by, "why"}));
  EXPECT_THAT(All(), ElementsAre(party));
  EXPECT_THAT(All("fabrikam"), IsEmpty());
}

TEST_F(PostgresqlRelyingPartiesTest, NothingOfOneThatIsNewIsTakenFromTheRecord) {
  RelyingPartyRecord party = SampleRelyingParty("vpn");
  party.fetched_version = 7;
  party.fetched_at = SampleTime();
  party.acknowledged_version = 7;
  party.acknowledged_sha256 = "x";
  party.acknowledged_at = SampleTime();
  party.acknowledged_by = "itself";
  party.registered_at = SampleTime(100);
  ASSERT_OK(Add(party));
  EXPECT_THAT(All(), ElementsAre(SampleRelyingParty("vpn")));
}

TEST_F(PostgresqlRelyingPartiesTest, NamesAndIdentitiesAreOneTenantsAndOnlyOnce) {
  ASSERT_OK(Add(SampleRelyingParty("b")));
  RelyingPartyRecord same = SampleRelyingParty("c");
  same.identity = "b-caller";
  EXPECT_THAT(Add(same), FailsWith(ErrorReason::kRelyingPartyExists, "identity"));
  same = SampleRelyingParty("b");
  EXPECT_THAT(Add(same), FailsWith(ErrorReason::kRelyingPartyExists, "name"));
  same.identity = "c-caller";
  EXPECT_THAT(Add(same), FailsWith(ErrorReason::kRelyingPartyExists, "name"));
  same.tenant_id = "nobody";
  EXPECT_THAT(Add(same), FailsWith(ErrorReason::kTenantUnknown, "tenant_id"));
  EXPECT_THAT(Actions(), ElementsAre("relying_party_registered b"));
  ASSERT_OK(Add(SampleManualParty("a")));
  ASSERT_OK(Add(SampleManualParty("B")));
  ASSERT_OK(Add(SampleRelyingParty("b", "fabrikam")));
  EXPECT_THAT(All(),
              ElementsAre(SampleManualParty("B"), SampleManualParty("a"), SampleRelyingParty("b")));
}

TEST_F(PostgresqlRelyingPartiesTest, WhatOneLeavesAnotherMayTake) {
  ASSERT_OK(Add(SampleRelyingParty("a")));
  EXPECT_THAT(Remove("a", "fabrikam"), FailsWith(ErrorReason::kRelyingPartyUnknown, "name"));
  EXPECT_THAT(Remove("b"), FailsWith(ErrorReason::kRelyingPartyUnknown, "name"));
  ASSERT_OK(Remove("a"));
  EXPECT_THAT(All(), IsEmpty());
  RelyingPartyRecord next = SampleRelyingParty("b");
  next.identity = "a-caller";
  ASSERT_OK(Add(next));
  ASSERT_OK(Add(SampleManualParty("a")));
  EXPECT_THAT(Actions(), ElementsAre("relying_party_registered a", "relying_party_registered b",
                                     "relying_party_removed a", "relying_party_registered a"));
}

TEST_F(PostgresqlRelyingPartiesTest, OnlyTheBundleAsItIsIsAcknowledged) {
  ASSERT_OK(Add(SampleRelyingParty("vpn")));
  EXPECT_THAT(Note("vpn", 0), FailsWith(ErrorReason::kBundleUnknown, "version"))
      << "there is none yet";
  EXPECT_THAT(Note("vpn", 1), FailsWith(ErrorReason::kBundleUnknown, "version"));
  AddRootOf(1);
  AddRootOf(2);
  EXPECT_THAT(Note("vpn", 1), FailsWith(ErrorReason::kBundleOutdated, "version"));
  EXPECT_THAT(Note("vpn", 3), FailsWith(ErrorReason::kBundleUnknown, "version"));
  EXPECT_THAT(Note("nps", 2), FailsWith(ErrorReason::kRelyingPartyUnknown, "name"));
  EXPECT_THAT(Note(SampleAcknowledgement("vpn", 2, "nobody"), SampleCause()),
              FailsWith(ErrorReason::kTenantUnknown, "tenant_id"));
  EXPECT_THAT(All(), ElementsAre(SampleRelyingParty("vpn")));
  ASSERT_OK(Note("vpn", 2));
  EXPECT_THAT(Note({"contoso", "vpn", "vpn-caller", 2, "another"}, SampleCause()),
              FailsWith(ErrorReason::kBundleMismatch, "document_sha256"));
  EXPECT_EQ(All().front().acknowledged_sha256, SampleAcknowledgement("vpn", 2).document_sha256);
}

TEST_F(PostgresqlRelyingPartiesTest, TheSameAgainChangesNothingAndOnlyAttestationsAreRecorded) {
  AddRootOf(1);
  ASSERT_OK(Add(SampleRelyingParty("vpn")));
  ASSERT_OK(Add(SampleManualParty("nps")));
  ASSERT_OK(Note("vpn", 1));
  ASSERT_OK(Note(SampleAttestation("nps", 1), SampleCause()));
  const std::vector<RelyingPartyRecord> before = All();
  for (const Acknowledgement& same :
       {SampleAcknowledgement("vpn", 1), SampleAttestation("nps", 1)}) {
    ASSERT_OK(Note(same, {SampleTime(99), "another", "again"}));
  }
  EXPECT_EQ(All(), before);
  EXPECT_THAT(Actions(), ElementsAre("relying_party_attested nps", "relying_party_registered nps",
                                     "relying_party_registered vpn"));
}

TEST_F(PostgresqlRelyingPartiesTest, NobodyAcknowledgesForOneOfTheSameName) {
  AddRootOf(1);
  ASSERT_OK(Add(SampleRelyingParty("vpn")));
  ASSERT_OK(Add(SampleManualParty("nps")));
  const auto unknown = FailsWith(ErrorReason::kRelyingPartyUnknown, "name");
  Acknowledgement of_another = SampleAcknowledgement("vpn", 1);
  of_another.identity = "another-caller";
  EXPECT_THAT(Note(of_another, SampleCause()), unknown);
  EXPECT_THAT(Note(SampleAttestation("vpn", 1), SampleCause()), unknown);
  EXPECT_THAT(Note(SampleAcknowledgement("nps", 1), SampleCause()), unknown);
  EXPECT_THAT(All(), ElementsAre(SampleManualParty("nps"), SampleRelyingParty("vpn")));
  EXPECT_OK(Note(SampleAcknowledgement("vpn", 1), SampleCause()));
  EXPECT_OK(Note(SampleAttestation("nps", 1), SampleCause()));
}

TEST_F(PostgresqlRelyingPartiesTest, TheNewestVersionThatWasFetchedIsNoted) {
  AddRootOf(1);
  AddRootOf(2);
  ASSERT_OK(Add(SampleRelyingParty("vpn")));
  ASSERT_OK(Add(SampleRelyingParty("vpn", "fabrikam")));
  ASSERT_OK(Add(SampleManualParty("nps")));
  const auto nothing = [&](const std::string& identity, std::uint64_t version,
                           const std::string& tenant = "contoso") {
    const std::vector<RelyingPartyRecord> before = All();
    EXPECT_OK(Fetched(identity, version, 99, tenant));
    EXPECT_EQ(All(), before) << identity << " " << version;
  };
  nothing("vpn-caller", 0);
  nothing("vpn-caller", 3);
  nothing("vpn-caller", ~std::uint64_t{0});
  nothing("nps-caller", 1);
  nothing("vpn-caller", 1, "fabrikam");
  nothing("vpn-caller", 1, "nobody");
  RelyingPartyRecord party = SampleRelyingParty("vpn");
  for (const int version : {1, 2}) {
    party.fetched_version = static_cast<std::uint64_t>(version);
    party.fetched_at = SampleTime(10 - version);
    ASSERT_OK(Fetched("vpn-caller", party.fetched_version, 10 - version));
    EXPECT_THAT(All(), ElementsAre(SampleManualParty("nps"), party));
    nothing("vpn-caller", party.fetched_version);
  }
  nothing("vpn-caller", 1);
  const auto refused = FailsWith(ErrorReason::kInternalError, "identity");
  EXPECT_THAT(Fetched("", 2, 1), refused);
  EXPECT_EQ(Actions().size(), 2u) << "only what administrators did is recorded";
}

}  // namespace
}  // namespace hourglass::issuance::postgresql
