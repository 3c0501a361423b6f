// What several processes change at once: on connections of their own, each waits for whom it must
// and for nobody else.
#include <gmock/gmock.h>

#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "issuance/store/postgresql/tables/postgresql_administrative_actions.h"
#include "issuance/store/postgresql/tables/postgresql_devices.h"
#include "issuance/store/postgresql/tables/postgresql_intermediates.h"
#include "issuance/store/postgresql/tables/postgresql_relying_parties.h"
#include "issuance/store/postgresql/tables/postgresql_roots.h"
#include "issuance/store/postgresql/tables/testing/tables_test.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance::postgresql {
namespace {

using ca::RootState;

const RootStateChange kPromotesFirst = {"root-1", RootState::kStaged, RootState::kPrimary};
const RootStateChange kPromotesSecond = {"root-2", RootState::kStaged, RootState::kPrimary};
const RootStateChange kDemotesFirst = {"root-1", RootState::kPrimary, RootState::kRetiring};

absl::Status Move(Connection& connection, std::uint64_t revision,
                  const std::vector<RootStateChange>& changes) {
  return ChangeRootStates(connection, kSampleTenant, revision, changes, {SampleTime(7)});
}

class ConcurrentChangesTest : public TablesTest {
 protected:
  using Statement = std::function<absl::Status(Connection&)>;

  // contoso with root-1 and root-2, both STAGED, at revision 2.
  ConcurrentChangesTest() {
    for (const int generation : {1, 2}) {
      EXPECT_OK(Change([&](Connection& c) { return AddRoot(c, SampleRoot(generation)); }));
    }
  }
  // Root-1 is PRIMARY from then on, at epoch 1 and revision 3.
  void PromoteFirst() {
    ASSERT_OK(Change([](Connection& c) { return Move(c, 2, {kPromotesFirst}); }));
  }

  // In a transaction of another process, with the administration and without.
  std::future<absl::Status> AdministerElsewhere(Statement statement) {
    return std::async(std::launch::async, [this, statement = std::move(statement)] {
      return Administer(*elsewhere_, statement);
    });
  }
  std::future<absl::Status> WriteElsewhere(Statement statement) {
    return std::async(std::launch::async, [this, statement = std::move(statement)] {
      return Write(*elsewhere_, statement);
    });
  }
  RootState StateOf(const std::string& root_id) {
    return GetRoot(*connection_, kSampleTenant, root_id)->state;
  }

  const std::unique_ptr<Connection> elsewhere_ = Connect();
};

TEST_F(ConcurrentChangesTest, OfTwoAdministratorsTheSecondSeesWhatTheFirstDid) {
  ASSERT_OK_AND_ASSIGN(Transaction first, Transaction::Begin(*connection_));
  ASSERT_OK(LockForAdministration(*connection_));
  ASSERT_OK(Move(*connection_, 2, {kPromotesFirst}));
  std::future<absl::Status> second =
      AdministerElsewhere([](Connection& c) { return Move(c, 2, {kPromotesSecond}); });
  EXPECT_TRUE(Waits(second));
  ASSERT_OK(first.Commit());
  EXPECT_THAT(second.get(), FailsWith(ErrorReason::kPrimaryChanged));
  EXPECT_EQ(StateOf("root-1"), RootState::kPrimary);
  EXPECT_EQ(StateOf("root-2"), RootState::kStaged);
  EXPECT_EQ(GetTenant(*connection_, kSampleTenant)->epoch, 1u);
}

TEST_F(ConcurrentChangesTest, WhatTheFirstTookBackTheSecondDoes) {
  std::optional<Transaction> first = Transaction::Begin(*connection_).value();
  ASSERT_OK(LockForAdministration(*connection_));
  ASSERT_OK(Move(*connection_, 2, {kPromotesFirst}));
  std::future<absl::Status> second =
      AdministerElsewhere([](Connection& c) { return Move(c, 2, {kPromotesSecond}); });
  EXPECT_TRUE(Waits(second));
  first.reset();
  EXPECT_OK(second.get());
  EXPECT_EQ(StateOf("root-1"), RootState::kStaged);
  EXPECT_EQ(StateOf("root-2"), RootState::kPrimary);
}

// They touch no row in common: what is looked at before it is written stays as it is.
TEST_F(ConcurrentChangesTest, AdministratorsOfDifferentTenantsWaitAsWell) {
  TenantRecord tenant = SampleTenant("first");
  tenant.display_name = "Northwind";
  ASSERT_OK_AND_ASSIGN(Transaction first, Transaction::Begin(*connection_));
  ASSERT_OK(LockForAdministration(*connection_));
  ASSERT_OK(CreateTenant(*connection_, tenant));
  tenant.tenant_id = "second";
  std::future<absl::Status> second =
      AdministerElsewhere([&](Connection& c) { return CreateTenant(c, tenant); });
  EXPECT_TRUE(Waits(second));
  ASSERT_OK(first.Commit());
  EXPECT_THAT(second.get(), FailsWith(ErrorReason::kDisplayNameTaken, "display_name"));
  std::future<absl::Status> third =
      AdministerElsewhere([](Connection& c) { return AddRoot(c, SampleRoot(1, "fabrikam")); });
  EXPECT_OK(third.get()) << "nobody holds it any more";
}

TEST_F(ConcurrentChangesTest, OfTwoRootsAtOnceEachHasARevisionOfItsOwn) {
  ASSERT_OK_AND_ASSIGN(Transaction first, Transaction::Begin(*connection_));
  ASSERT_OK(LockForAdministration(*connection_));
  ASSERT_OK(AddRoot(*connection_, SampleRoot(3)));
  std::future<absl::Status> second =
      AdministerElsewhere([](Connection& c) { return AddRoot(c, SampleRoot(4)); });
  EXPECT_TRUE(Waits(second));
  ASSERT_OK(first.Commit());
  ASSERT_OK(second.get());
  EXPECT_EQ(GetRoot(*connection_, kSampleTenant, "root-3")->bundle_version, 3u);
  EXPECT_EQ(GetRoot(*connection_, kSampleTenant, "root-4")->bundle_version, 4u);
}

TEST_F(ConcurrentChangesTest, APromotionWaitsForWhoHoldsTheEpoch) {
  PromoteFirst();
  ASSERT_OK_AND_ASSIGN(Transaction holder, Transaction::Begin(*connection_));
  ASSERT_OK(AddIntermediate(*connection_, SampleIntermediate(1)));
  std::future<absl::Status> promotion = AdministerElsewhere([](Connection& c) {
    return Move(c, 3, {kPromotesSecond, kDemotesFirst});
  });
  EXPECT_TRUE(Waits(promotion));
  EXPECT_EQ(GetTenant(*Connect(), kSampleTenant)->epoch, 1u) << "nothing has changed yet";
  ASSERT_OK(holder.Commit());
  ASSERT_OK(promotion.get());
  EXPECT_OK(GetIntermediate(*connection_, kSampleTenant, kSampleRoot,
                            SampleIntermediate(1).serial_number));
  EXPECT_THAT(Write(*connection_,
                    [](Connection& c) {
                      return ReleaseIntermediate(c, kSampleTenant, kSampleRoot,
                                                 SampleIntermediate(1).serial_number, "signed",
                                                 SampleTime());
                    }),
              FailsWith(ErrorReason::kPrimaryChanged));
}

TEST_F(ConcurrentChangesTest, WhoComesDuringAPromotionIsOfTheNewEpoch) {
  PromoteFirst();
  ASSERT_OK(
      Write(*connection_, [](Connection& c) { return AddIntermediate(c, SampleIntermediate(1)); }));
  const Statement add = [](Connection& c) { return AddIntermediate(c, SampleIntermediate(2)); };
  const Statement release = [](Connection& c) {
    return ReleaseIntermediate(c, kSampleTenant, kSampleRoot, SampleIntermediate(1).serial_number,
                               "signed", SampleTime());
  };
  const auto promote_meanwhile = [&](const Statement& statement, bool commits) {
    std::optional<Transaction> promotion = Transaction::Begin(*connection_).value();
    EXPECT_OK(LockForAdministration(*connection_));
    EXPECT_OK(Move(*connection_, 3, {kPromotesSecond, kDemotesFirst}));
    std::future<absl::Status> meanwhile = WriteElsewhere(statement);
    EXPECT_TRUE(Waits(meanwhile));
    if (commits) {
      EXPECT_OK(promotion->Commit());
    }
    promotion.reset();
    return meanwhile.get();
  };
  EXPECT_OK(promote_meanwhile(add, false)) << "the epoch is the old one";
  EXPECT_THAT(promote_meanwhile(release, true), FailsWith(ErrorReason::kPrimaryChanged));
}

TEST_F(ConcurrentChangesTest, OnlyWhatChangesTheEpochWaitsForWhoHoldsIt) {
  PromoteFirst();
  ASSERT_OK_AND_ASSIGN(Transaction holder, Transaction::Begin(*connection_));
  ASSERT_OK(AddIntermediate(*connection_, SampleIntermediate(1)));
  for (const Statement& statement : {
           Statement([](Connection& c) {
             return Move(c, 3, {{"root-2", RootState::kStaged, RootState::kDiscarded}});
           }),
           Statement([](Connection& c) { return AddRoot(c, SampleRoot(3)); }),
           Statement([](Connection& c) { return ReserveGeneration(c, kSampleTenant).status(); }),
           Statement([](Connection& c) {
             return AddRelyingParty(c, SampleRelyingParty("vpn"), SampleCause());
           }),
       }) {
    EXPECT_OK(Administer(*elsewhere_, statement));
  }
  // Nor does one tenant wait for another.
  ASSERT_OK(
      Administer(*elsewhere_, [](Connection& c) { return AddRoot(c, SampleRoot(1, "fabrikam")); }));
  EXPECT_OK(Administer(*elsewhere_, [](Connection& c) {
    return ChangeRootStates(c, "fabrikam", 1, {kPromotesFirst}, {SampleTime()});
  }));
  EXPECT_OK(holder.Commit());
}

TEST_F(ConcurrentChangesTest, ReportsAndFetchedBundlesWaitForNoAdministrator) {
  ASSERT_OK(PutDevice(*connection_, SampleDevice("known")));
  ASSERT_OK(Change(
      [](Connection& c) { return AddRelyingParty(c, SampleRelyingParty("vpn"), SampleCause()); }));
  {
    ASSERT_OK_AND_ASSIGN(const Transaction administration, Transaction::Begin(*connection_));
    ASSERT_OK(LockForAdministration(*connection_));
    ASSERT_OK(AddRoot(*connection_, SampleRoot(3)));
    EXPECT_OK(PutDevice(*elsewhere_, SampleDevice("new")));
    EXPECT_OK(NoteFetched(*elsewhere_, kSampleTenant, "vpn-caller", 2, SampleTime()));
    EXPECT_THAT(GetRoot(*elsewhere_, kSampleTenant, "root-3"),
                FailsWith(ErrorReason::kRootUnknown));
  }
  ASSERT_OK_AND_ASSIGN(Transaction promotion, Transaction::Begin(*connection_));
  ASSERT_OK(LockForAdministration(*connection_));
  ASSERT_OK(Move(*connection_, 2, {kPromotesFirst}));
  EXPECT_OK(PutDevice(*elsewhere_, SampleDevice("known")));
  EXPECT_OK(RemoveDevice(*elsewhere_, kSampleTenant, "known"));
  // A device that is new holds the tenant's row.
  std::future<absl::Status> first_report =
      WriteElsewhere([](Connection& c) { return PutDevice(c, SampleDevice("another")); });
  EXPECT_TRUE(Waits(first_report));
  ASSERT_OK(promotion.Commit());
  EXPECT_OK(first_report.get());
}

TEST_F(ConcurrentChangesTest, OfTwoReleasesOfAnIntermediateOneIsMade) {
  PromoteFirst();
  ASSERT_OK(
      Write(*connection_, [](Connection& c) { return AddIntermediate(c, SampleIntermediate(1)); }));
  const auto release = [](Connection& c, const char* certificate) {
    return ReleaseIntermediate(c, kSampleTenant, kSampleRoot, SampleIntermediate(1).serial_number,
                               certificate, SampleTime());
  };
  ASSERT_OK_AND_ASSIGN(Transaction first, Transaction::Begin(*connection_));
  ASSERT_OK(release(*connection_, "first"));
  std::future<absl::Status> second =
      WriteElsewhere([&](Connection& c) { return release(c, "second"); });
  EXPECT_TRUE(Waits(second));
  ASSERT_OK(first.Commit());
  EXPECT_THAT(second.get(), FailsWith(ErrorReason::kInternalError, "serial_number"));
  EXPECT_EQ(
      GetIntermediate(*connection_, kSampleTenant, kSampleRoot, SampleIntermediate(1).serial_number)
          ->certificate,
      "first");
}

TEST_F(ConcurrentChangesTest, OfTwoBundlesThatWereFetchedTheNewerStays) {
  ASSERT_OK(Change(
      [](Connection& c) { return AddRelyingParty(c, SampleRelyingParty("vpn"), SampleCause()); }));
  ASSERT_OK_AND_ASSIGN(Transaction newer, Transaction::Begin(*connection_));
  ASSERT_OK(NoteFetched(*connection_, kSampleTenant, "vpn-caller", 2, SampleTime(2)));
  std::future<absl::Status> older = WriteElsewhere(
      [](Connection& c) { return NoteFetched(c, kSampleTenant, "vpn-caller", 1, SampleTime(3)); });
  EXPECT_TRUE(Waits(older));
  ASSERT_OK(newer.Commit());
  ASSERT_OK(older.get());
  const RelyingPartyRecord party = ListRelyingParties(*connection_, kSampleTenant)->front();
  EXPECT_EQ(party.fetched_version, 2u);
  EXPECT_EQ(party.fetched_at, SampleTime(2));
}

}  // namespace
}  // namespace hourglass::issuance::postgresql
