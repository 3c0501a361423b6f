#include "issuance/store/postgresql/tables/postgresql_keys.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "issuance/store/postgresql/tables/postgresql_roots.h"
#include "issuance/store/postgresql/tables/testing/tables_test.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance::postgresql {
namespace {

using ca::RootState;
using testing::ElementsAre;
using testing::IsEmpty;

class PostgresqlKeysTest : public TablesTest {
 protected:
  absl::Status Plan(const std::string& uri, int generation, const std::string& public_key = "",
                    const std::string& tenant = "contoso") {
    return Change([&](Connection& c) { return PlanKey(c, {tenant, generation, uri, public_key}); });
  }
  absl::Status Bind(const std::string& tenant, const std::string& uri,
                    const std::string& public_key) {
    return Change([&](Connection& c) { return BindKey(c, {tenant, uri, public_key}); });
  }
  absl::Status Destroy(const std::string& uri, const std::string& public_key, int at = 9) {
    return Change(
        [&](Connection& c) { return NoteKeyDestroyed(c, uri, public_key, SampleTime(at)); });
  }
  // A root whose certificate holds `public_key`.
  RootRecord AddRootOf(int generation, const std::string& uri, const std::string& public_key,
                       const std::string& tenant = "contoso") {
    RootRecord root = SampleRoot(generation, tenant);
    root.key_uri = uri;
    root.certificate += public_key;
    EXPECT_OK(Change([&](Connection& c) { return AddRoot(c, root); }));
    return root;
  }
  absl::Status Condemn(const std::string& uri, const std::string& public_key) {
    return Change([&](Connection& c) { return CondemnPlannedKey(c, uri, public_key); });
  }
  // The generations of contoso's plans that are condemned, one behind the other.
  std::string Condemned() {
    std::string generations;
    const std::vector<PlannedKey> keys = ListPlannedKeys(*connection_, "contoso").value();
    for (const PlannedKey& key : keys) {
      if (key.is_condemned) generations += std::to_string(key.generation);
    }
    return generations;
  }
  void SetState(const RootRecord& root, RootState state) {
    EXPECT_OK(connection_->Change(
        "UPDATE roots SET state = $1 WHERE root_id = $2 AND tenant_id = $3",
        {Text{ca::RootStateName(state)}, Text{root.root_id}, Text{root.tenant_id}}));
  }
};

TEST_F(PostgresqlKeysTest, APlanThatIsRefusedChangesNothing) {
  const auto refused = FailsWith(ErrorReason::kInternalError);
  EXPECT_THAT(Plan("software:1", 1, "", "nobody"), FailsWith(ErrorReason::kTenantUnknown));
  ASSERT_OK(Plan("software:1", 1));
  EXPECT_THAT(Plan("software:1", 2), refused) << "of another generation";
  EXPECT_THAT(Plan("software:1", 1, "", "fabrikam"), refused);
  ASSERT_OK(Plan("software:1", 1, "key"));
  EXPECT_THAT(Plan("software:1", 1, "other key"), refused);
  EXPECT_THAT(Plan("software:1", 1, ""), refused) << "it is noted once";
  EXPECT_OK(Plan("software:1", 1, "key"));
  EXPECT_THAT(ListPlannedKeys(*connection_, "contoso").value(),
              ElementsAre(PlannedKey{"contoso", 1, "software:1", "key"}));
  EXPECT_THAT(ListPlannedKeys(*connection_, "fabrikam").value(), IsEmpty());
}

TEST_F(PostgresqlKeysTest, AKeyOfARootIsNotPlanned) {
  AddRootOf(1, "software:1", "");
  EXPECT_THAT(Plan("software:1", 1), FailsWith(ErrorReason::kKeyExists, "key_uri"));
  EXPECT_THAT(ListPlannedKeys(*connection_, "contoso").value(), IsEmpty());
  EXPECT_OK(Plan("software:12", 1));
}

TEST_F(PostgresqlKeysTest, APlanIsCondemnedByItsKeyAndByItsUriWhereNoneIsNoted) {
  ASSERT_OK(Plan("software:1", 1, "key"));
  ASSERT_OK(Plan("pkcs11:object=k;id=%01", 2));
  ASSERT_OK(Plan("pkcs11:object=k", 3));
  ASSERT_OK(Plan("pkcs11:object=k;id=%02", 4));
  ASSERT_OK(Plan("pkcs11:object=other", 5, "other key"));
  ASSERT_OK(Condemn("software:unknown", "unknown key"));
  ASSERT_OK(Condemn("pkcs11:object=other", "another key"));
  EXPECT_EQ(Condemned(), "") << "the URI counts only where no key is noted";
  ASSERT_OK(Condemn("software:elsewhere", "key"));
  EXPECT_EQ(Condemned(), "1");
  ASSERT_OK(Condemn("pkcs11:object=k;id=%01", "key of k"));
  EXPECT_EQ(Condemned(), "123") << "also by the URI without its id";
  ASSERT_OK(Condemn("pkcs11:object=other", ""));
  ASSERT_OK(Condemn("pkcs11:object=other", ""));
  EXPECT_EQ(Condemned(), "1235") << "whatever is noted, where it is not known which key it is";
}

TEST_F(PostgresqlKeysTest, ACondemnedPlanIsNotPlannedAgain) {
  ASSERT_OK(Plan("software:1", 1));
  ASSERT_OK(Plan("software:2", 2));
  ASSERT_OK(Condemn("software:1", ""));
  EXPECT_THAT(Plan("software:1", 1), FailsWith(ErrorReason::kInternalError));
  EXPECT_THAT(Plan("software:1", 1, "key"), FailsWith(ErrorReason::kInternalError));
  EXPECT_OK(Plan("software:2", 2, "key"));
  EXPECT_EQ(Condemned(), "1");
  ASSERT_OK(Destroy("software:1", ""));
  EXPECT_OK(Plan("software:1", 1)) << "the mark goes with the plan";
  EXPECT_EQ(Condemned(), "");
}

TEST_F(PostgresqlKeysTest, ACondemnedKeyGetsNoRoot) {
  const auto add = [&](int generation, const std::string& uri, const std::string& public_key) {
    RootRecord root = SampleRoot(generation);
    root.key_uri = uri;
    root.certificate += public_key;
    return Change([&](Connection& c) { return AddRoot(c, root); });
  };
  const auto destroyed = FailsWith(ErrorReason::kKeyDestroyed, "key_uri");
  ASSERT_OK(Plan("software:1", 1));
  ASSERT_OK(Plan("software:2", 2, "key"));
  ASSERT_OK(Plan("software:3", 3, "another"));
  ASSERT_OK(Condemn("software:1", ""));
  ASSERT_OK(Condemn("software:2", "key"));
  EXPECT_THAT(add(1, "software:1", "any"), destroyed);
  EXPECT_THAT(add(2, "software:2", "key"), destroyed);
  EXPECT_THAT(add(2, "software:2-by-another-name", "key"), destroyed);
  EXPECT_THAT(ListRoots(*connection_, "contoso").value(), IsEmpty());
  EXPECT_EQ(Condemned(), "12");
  EXPECT_OK(add(3, "software:3", "another"));
}

TEST_F(PostgresqlKeysTest, PlansAreListedByGenerationThenUri) {
  ASSERT_OK(Plan("software:b", 2));
  ASSERT_OK(Plan("software:c", 1));
  ASSERT_OK(Plan("software:a", 2));
  ASSERT_OK(Plan("software:d", 10));
  std::string uris;
  const std::vector<PlannedKey> keys = ListPlannedKeys(*connection_, "contoso").value();
  for (const PlannedKey& key : keys) {
    uris += key.key_uri.back();
  }
  EXPECT_EQ(uris, "cabd");
}

TEST_F(PostgresqlKeysTest, ABindingIsOneUriOneKeyOneTenant) {
  const auto refused = FailsWith(ErrorReason::kKeyNotPermitted, "tenant_id");
  EXPECT_THAT(Bind("nobody", "software:1", "1"), FailsWith(ErrorReason::kTenantUnknown));
  ASSERT_OK(Bind("fabrikam", "software:2", "2"));
  ASSERT_OK(Bind("contoso", "software:1", "1"));
  EXPECT_OK(Bind("contoso", "software:1", "1"));
  EXPECT_THAT(Bind("fabrikam", "software:1", "1"), refused);
  EXPECT_THAT(Bind("contoso", "software:1", "3"), refused);
  EXPECT_THAT(Bind("contoso", "software:3", "1"), refused);
  EXPECT_THAT(Bind("contoso", "software:1", "2"), refused);
  EXPECT_THAT(
      ListBoundKeys(*connection_).value(),
      ElementsAre(BoundKey{"contoso", "software:1", "1"}, BoundKey{"fabrikam", "software:2", "2"}));
}

TEST_F(PostgresqlKeysTest, RootsOfAKeyAreOfAllTenantsAndStates) {
  const RootRecord second = AddRootOf(2, "software:2", "shared");
  const RootRecord of_another = AddRootOf(1, "software:3", "shared", "fabrikam");
  const RootRecord first = AddRootOf(1, "software:1", "shared!");
  AddRootOf(3, "software:4", "share");
  SetState(of_another, RootState::kDiscarded);
  EXPECT_THAT(
      RootsOfPublicKey(*connection_, "shared").value(),
      ElementsAre(AsRootOfKey(first, RootState::kStaged), AsRootOfKey(second, RootState::kStaged),
                  AsRootOfKey(of_another, RootState::kDiscarded)));
  EXPECT_THAT(RootsOfPublicKey(*connection_, "shared!").value(),
              ElementsAre(AsRootOfKey(first, RootState::kStaged)));
  EXPECT_THAT(RootsOfPublicKey(*connection_, "").value(), IsEmpty());
}

TEST_F(PostgresqlKeysTest, ANameIsAUriWithoutItsId) {
  const RootRecord bare = AddRootOf(1, "pkcs11:token=t;object=k", "");
  const RootRecord with_id = AddRootOf(2, "pkcs11:token=t;object=k;id=%01", "");
  AddRootOf(3, "pkcs11:token=t;object=kk", "");
  AddRootOf(4, "pkcs11:token=t;object=K;id=%01", "");
  AddRootOf(5, "pkcs11:token=t;object=k;ID=%01", "");
  for (const char* uri : {"pkcs11:token=t;object=k", "pkcs11:token=t;object=k;id=%09"}) {
    EXPECT_THAT(RootsOfKeyName(*connection_, uri).value(),
                ElementsAre(AsRootOfKey(bare, RootState::kStaged),
                            AsRootOfKey(with_id, RootState::kStaged)))
        << uri;
  }
  EXPECT_THAT(RootsOfKeyName(*connection_, "pkcs11:token=t;object=_").value(), IsEmpty());
}

TEST_F(PostgresqlKeysTest, AStateThatIsNoneIsDamage) {
  AddRootOf(1, "software:1", "key");
  ASSERT_OK(
      ConnectAsOwner()->Execute("ALTER TABLE roots DROP CONSTRAINT roots_state_check;"
                                "UPDATE roots SET state = 'staged'"));
  EXPECT_THAT(RootsOfPublicKey(*connection_, "key"), FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_THAT(RootsOfKeyName(*connection_, "software:1"),
              FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_OK(RootsOfPublicKey(*connection_, "another key"));
}

TEST_F(PostgresqlKeysTest, OnlyKeysOfRootsThatEndedAreDestroyed) {
  const RootRecord first = AddRootOf(1, "software:1", "key");
  const RootRecord second = AddRootOf(2, "software:2", "key");
  for (const RootState state : {RootState::kStaged, RootState::kPrimary, RootState::kRetiring}) {
    SetState(first, RootState::kDiscarded);
    SetState(second, state);
    EXPECT_THAT(Destroy("software:1", "key"), FailsWith(ErrorReason::kInternalError));
    EXPECT_EQ(GetRoot(*connection_, "contoso", "root-1")->key_destroyed_at, std::nullopt)
        << "neither of the one that ended";
  }
  SetState(second, RootState::kRetired);
  ASSERT_OK(Destroy("software:1", "key", 9));
  ASSERT_OK(Destroy("software:1", "key", 10));
  for (const char* root : {"root-1", "root-2"}) {
    EXPECT_EQ(GetRoot(*connection_, "contoso", root)->key_destroyed_at, SampleTime(9))
        << "the first time stays";
  }
}

TEST_F(PostgresqlKeysTest, APlanThatWasNeverNotedIsForgottenByItsUri) {
  ASSERT_OK(Plan("pkcs11:object=k;id=%01", 1));
  ASSERT_OK(Plan("pkcs11:object=k", 2));
  ASSERT_OK(Plan("pkcs11:object=k;id=%02", 3));
  ASSERT_OK(Plan("pkcs11:object=k2", 4));
  ASSERT_OK(Plan("software:elsewhere", 5, "key"));
  ASSERT_OK(Bind("contoso", "pkcs11:object=k", "other key"));
  ASSERT_OK(Bind("contoso", "software:elsewhere", "key"));
  ASSERT_OK(Destroy("pkcs11:object=k;id=%01", "key"));
  std::string generations;
  const std::vector<PlannedKey> keys = ListPlannedKeys(*connection_, "contoso").value();
  for (const PlannedKey& key : keys) {
    generations += std::to_string(key.generation);
  }
  EXPECT_EQ(generations, "34") << "what may be another key";
  EXPECT_THAT(ListBoundKeys(*connection_).value(),
              ElementsAre(BoundKey{"contoso", "pkcs11:object=k", "other key"}));
}

}  // namespace
}  // namespace hourglass::issuance::postgresql
