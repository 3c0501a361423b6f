// Stores that older programs wrote are read and written on.
#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "issuance/store/sqlite/engine/sqlite_schema.h"
#include "issuance/store/sqlite/sqlite_store.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance::sqlite {
namespace {

class OlderFilesTest : public testing::Test {
 protected:
  std::unique_ptr<Connection> Connect() {
    return Connection::Open(path_, std::chrono::milliseconds(1000)).value();
  }
  std::int64_t Version() { return Connect()->QueryInteger("PRAGMA user_version").value(); }

  const TemporaryDirectory directory_;
  const std::string path_ = directory_.Write("hourglass.db", "");
};

// What the release with schema version 1 had written: every table, one certificate that was
// released and one that was not.
constexpr char kOfVersion1[] = R"sql(
INSERT INTO tenants VALUES ('contoso', 'Contoso', 1, 2, 3, 4);
INSERT INTO roots VALUES ('contoso', 'r1', 1, 'PRIMARY', 'ec-p256', 'software:r1', 1, x'3000',
  100, 90000, 5, 6, 8000, 'create-1');
INSERT INTO intents VALUES (7, 'contoso', 2, 'r1', 'one', x'd1', 'broker', 'u-1', 'a@contoso', 'd-1',
  'v-1', '1', 10, x'0001', 4400, 8000, x'300100', 20);
INSERT INTO intents VALUES (8, 'contoso', 2, 'r1', 'two', x'd2', 'broker', 'u-1', 'a@contoso', 'd-1',
  'v-2', '1', 11, x'0002', 4400, 8000, x'300200', 21);
INSERT INTO releases VALUES (7, x'300300', 30);
INSERT INTO devices VALUES ('contoso', 'd-1', x'', 1, 'inventory');
)sql";

TEST_F(OlderFilesTest, TheJournalOfVersion1IsReadAndWrittenOn) {
  ASSERT_OK(Migrate(*Connect(), Migrations().first(1)));
  ASSERT_OK(Connect()->Execute(kOfVersion1));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> store, OpenSqliteStore(path_));
  ASSERT_OK_AND_ASSIGN(const JournalRecord released, store->FindByRequestId("contoso", "one"));
  EXPECT_EQ(released.certificate, std::string("\x30\x03\x00", 3));
  EXPECT_EQ(released.intent.tbs_certificate, std::string("\x30\x01\x00", 3));
  EXPECT_EQ(released.intent.intermediate_serial_number, "") << "the root itself issued it";
  ASSERT_OK_AND_ASSIGN(const RootRecord root, store->GetRoot("contoso", "r1"));
  EXPECT_EQ(root.state, ca::RootState::kPrimary);
  EXPECT_EQ(root.bundle_version, 3u);
  EXPECT_EQ(root.state_revision, 3u);
  EXPECT_EQ(store->ListIntermediates("contoso", "r1", 10, "")->records.size(), 0u);

  Intent next = released.intent;
  next.request_id = "three";
  next.serial_number = std::string("\x00\x03", 2);
  ASSERT_OK_AND_ASSIGN(
      const std::vector<absl::Status> statuses,
      store->AppendToJournal(
          {Release{"contoso", 2, "two", "certificate", released.intent.intended_at}, next,
           Release{"contoso", 2, "one", "another", next.intended_at}}));
  EXPECT_OK(statuses[0]) << "an interrupted request of before is released";
  EXPECT_OK(statuses[1]);
  EXPECT_THAT(statuses[2], FailsWith(ErrorReason::kRequestIdReused));
  EXPECT_EQ(store->ListJournal("contoso", {}, 10, "")->records.size(), 3u);
}

// Of schema version 3: `count` requests, of which those with an even number were released.
std::string OfVersion3(int count) {
  std::string sql =
      "INSERT INTO tenants VALUES ('contoso', 'Contoso', 1, 2, 3, 4);"
      "INSERT INTO roots VALUES ('contoso', 'r1', 1, 'PRIMARY', 'ec-p256', 'software:r1', 1, "
      "x'3000', 100, 90000, 5, 6, 8000, 'create-1');";
  for (int i = 1; i <= count; ++i) {
    absl::StrAppend(&sql, "INSERT INTO intents VALUES (", i, ", 'contoso', 2, 'r1', 'id-", i,
                    "', x'd1', 'broker', 'u-1', 'a@contoso', 'd-1', 'v-1', '1', 10, x'",
                    absl::Hex(i, absl::kZeroPad8), "', 4400, 8000, x'300100', ", 100 + i,
                    ", x'');");
    if (i % 2 == 0) {
      absl::StrAppend(&sql, "INSERT INTO releases VALUES (", i, ", x'3003300100ff', 30);");
    }
  }
  return sql;
}

class OldJournalTest : public OlderFilesTest {
 protected:
  static constexpr int kCount = 10;

  OldJournalTest() {
    options_.segment_intents = 4;
    EXPECT_OK(Migrate(*Connect(), Migrations().first(3)));
    EXPECT_OK(Connect()->Execute(OfVersion3(kCount)));
  }

  void ExpectAllThere() {
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> store, OpenSqliteStore(path_, options_));
    for (int i = 1; i <= kCount; ++i) {
      ASSERT_OK_AND_ASSIGN(const JournalRecord found,
                           store->FindByRequestId("contoso", absl::StrCat("id-", i)));
      EXPECT_EQ(found.certificate, i % 2 == 0 ? std::string("\x30\x03\x30\x01\x00\xff", 6) : "");
      EXPECT_EQ(found.released_at.has_value(), i % 2 == 0);
      EXPECT_OK(store->FindBySerialNumber("contoso", found.intent.serial_number));
    }
    EXPECT_EQ(store->ListJournal("contoso", {}, 100, "")->records.size(), std::size_t{kCount});
    EXPECT_EQ(Version(), static_cast<std::int64_t>(Migrations().size()));
  }

  SqliteStoreOptions options_;
};

TEST_F(OldJournalTest, MovesToSegments) {
  ExpectAllThere();
  EXPECT_EQ(Connect()->QueryInteger("SELECT count(*) FROM journal_segments").value(), 4);
  ExpectAllThere();
}

TEST_F(OldJournalTest, AnInterruptedMoveIsTakenUp) {
  // The catalog refuses the second segment, as a crash just before its commit would.
  ASSERT_OK(Migrate(*Connect(), Migrations(), kVersionWithOldJournal));
  ASSERT_OK(Connect()->Execute(
      "CREATE TRIGGER crash BEFORE INSERT ON journal_segments WHEN NEW.number = 2 "
      "BEGIN SELECT RAISE(ABORT, 'crash'); END"));
  EXPECT_THAT(OpenSqliteStore(path_, options_), FailsWith(ErrorReason::kInternalError));
  EXPECT_EQ(Connect()->QueryInteger("SELECT count(*) FROM old_intents").value(), kCount - 4);
  EXPECT_THAT(Migrate(*Connect(), Migrations()), FailsWith(ErrorReason::kInternalError))
      << "tables with records must not be dropped";
  EXPECT_EQ(Connect()->QueryInteger("SELECT count(*) FROM old_intents").value(), kCount - 4);
  ASSERT_OK(Connect()->Execute("DROP TRIGGER crash"));
  ExpectAllThere();
}

// Of schema version 7, before there were relying parties: nobody has acknowledged what was there,
// and whoever acknowledges the bundle as it is now has all of it.
TEST_F(OlderFilesTest, RootsOfVersion7AreAcknowledgedAndPromoted) {
  ASSERT_OK(Migrate(*Connect(), Migrations().first(7)));
  ASSERT_OK(Connect()->Execute(R"sql(
      INSERT INTO tenants VALUES ('contoso', 'Contoso', 1, 2, 9, 4, 'contoso');
      INSERT INTO roots VALUES ('contoso', 'r1', 1, 'PRIMARY', 'ec-p256', 'software:r1', 1, x'3000',
        100, 90000, 5, 6, 8000, 'create-1', NULL);
      INSERT INTO roots VALUES ('contoso', 'r2', 2, 'STAGED', 'ec-p256', 'software:r2', 1, x'3001',
        100, 90000, 5, 6, NULL, '', NULL);
      INSERT INTO tenants VALUES ('fabrikam', 'Fabrikam', 1, 0, 40, 4, 'fabrikam');
      INSERT INTO roots VALUES ('fabrikam', 'r1', 1, 'RETIRED', 'ec-p256', 'software:f', 1, x'3002',
        100, 90000, 5, 6, NULL, '', NULL))sql"));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> store, OpenSqliteStore(path_));
  EXPECT_EQ(store->GetRoot("fabrikam", "r1")->bundle_version, 40u);
  EXPECT_EQ(store->GetTenant("contoso")->revision, 9u) << "the bundle is what it was";
  ASSERT_OK_AND_ASSIGN(const std::vector<RootRecord> roots, store->ListRoots("contoso"));
  ASSERT_EQ(roots.size(), 2u);
  for (const RootRecord& root : roots) {
    EXPECT_EQ(root.bundle_version, 9u) << root.root_id;
    EXPECT_EQ(root.created_by, "") << root.root_id;
  }
  EXPECT_EQ(store->ListRelyingParties("contoso")->size(), 0u);
  EXPECT_EQ(store->ListAdministrativeActions("contoso", 10, "")->records.size(), 0u);

  RelyingPartyRecord party;
  party.tenant_id = "contoso";
  party.name = "vpn";
  party.identity = "vpn-caller";
  ASSERT_OK(store->AddRelyingParty(party, {}));
  RootChangeOrder order;
  order.awaits_acknowledgements = true;
  const std::vector<RootStateChange> promotion = {
      {"r1", ca::RootState::kPrimary, ca::RootState::kRetiring},
      {"r2", ca::RootState::kStaged, ca::RootState::kPrimary}};
  EXPECT_THAT(store->ChangeRootStates("contoso", 9, promotion, order),
              FailsWith(ErrorReason::kPromotionBlocked, "root_id"));
  ASSERT_OK(store->Acknowledge({"contoso", "vpn", "vpn-caller", 9, std::string(32, 'h')}, {}));
  EXPECT_OK(store->ChangeRootStates("contoso", 9, promotion, order));
  EXPECT_EQ(store->ListAdministrativeActions("contoso", 10, "")->records.size(), 3u);
}

// Of schema version 8, which knew only when states were changed: in that order they go on.
TEST_F(OlderFilesTest, RootsOfVersion8KeepTheirOrderAndRelyingPartiesHaveFetchedNothing) {
  ASSERT_OK(Migrate(*Connect(), Migrations().first(8)));
  const auto root = [](const std::string& tenant, int generation, const std::string& state,
                       int state_since) {
    return absl::StrCat("INSERT INTO roots VALUES ('", tenant, "', 'r", generation, "', ",
                        generation, ", '", state, "', 'ec-p256', 'software:", tenant, generation,
                        "', 1, x'3000', 100, 90000, 5, ", state_since, ", NULL, '', NULL, '', 3);");
  };
  ASSERT_OK(Connect()->Execute(absl::StrCat(
      "INSERT INTO tenants VALUES ('contoso', 'Contoso', 1, 2, 20, 6, 'contoso');"
      "INSERT INTO tenants VALUES ('fabrikam', 'Fabrikam', 1, 0, 3, 4, 'fabrikam');",
      root("contoso", 1, "RETIRED", 50), root("contoso", 2, "RETIRING", 90),
      root("contoso", 3, "RETIRING", 90), root("contoso", 4, "RETIRING", 70),
      root("contoso", 5, "PRIMARY", 90), root("contoso", 6, "STAGED", -1),
      // As many as its revision: none may get 0 or less.
      root("fabrikam", 1, "RETIRED", 9), root("fabrikam", 2, "RETIRED", 8),
      root("fabrikam", 3, "STAGED", 7),
      "INSERT INTO relying_parties VALUES ('contoso', 'vpn', 'vpn-caller', '', 0, 3, x'00', 1, "
      "'vpn-caller', 1);")));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> store, OpenSqliteStore(path_));
  const auto revisions_of = [&](const std::string& tenant_id) {
    std::vector<std::uint64_t> revisions;
    const std::vector<RootRecord> there = store->ListRoots(tenant_id).value();
    for (const RootRecord& record : there) {
      revisions.push_back(record.state_revision);
    }
    return revisions;
  };
  EXPECT_THAT(revisions_of("contoso"), testing::ElementsAre(16, 18, 19, 17, 20, 15));
  EXPECT_THAT(revisions_of("fabrikam"), testing::ElementsAre(3, 2, 1));
  // The clock has gone backward since.
  ASSERT_OK(store->ChangeRootStates(
      "contoso", 20, {{"r5", ca::RootState::kPrimary, ca::RootState::kRetiring}}, {}));
  EXPECT_THAT(revisions_of("contoso"), testing::ElementsAre(16, 18, 19, 17, 21, 15));

  RelyingPartyRecord party = store->ListRelyingParties("contoso")->at(0);
  EXPECT_EQ(party.acknowledged_version, 3u);
  EXPECT_EQ(party.fetched_version, 0u);
  EXPECT_FALSE(party.fetched_at.has_value());
  ASSERT_OK(store->NoteFetched("contoso", "vpn-caller", 21, party.registered_at));
  party.fetched_version = 21;
  party.fetched_at = party.registered_at;
  EXPECT_THAT(store->ListRelyingParties("contoso").value(), testing::ElementsAre(party));
}

// Of before keys of devices were kept: no device is bound, and each may have one.
TEST_F(OlderFilesTest, AStoreOfVersion10GetsKeysOfDevices) {
  ASSERT_OK(Migrate(*Connect(), Migrations().first(10)));
  ASSERT_OK(Connect()->Execute(
      "INSERT INTO tenants VALUES ('contoso', 'Contoso', 1, 2, 9, 4, 'contoso', 3)"));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> store, OpenSqliteStore(path_));
  EXPECT_EQ(Version(), static_cast<std::int64_t>(Migrations().size()));
  const auto read = [&] {
    return store->ReadDecisionFacts({"contoso", "", "", "d-1"}, SampleTime()).value();
  };
  EXPECT_EQ(read().policy_revision, 3u);
  EXPECT_FALSE(read().device_is_bound);
  ASSERT_OK(store->EnrolDeviceKey(SampleDeviceKey("a", "d-1"), DeviceKeyStore::Approval::kIfFirst,
                                  SampleCause()));
  EXPECT_TRUE(read().device_is_bound);
  EXPECT_EQ(read().device_key->key_id, "id-of-a");
}

// Of schema version 9, before it was kept who may connect: nobody is blocked, and no policy is
// there.
TEST_F(OlderFilesTest, AStoreOfVersion9GetsPoliciesUsersAndBlocks) {
  ASSERT_OK(Migrate(*Connect(), Migrations().first(9)));
  ASSERT_OK(Connect()->Execute(R"sql(
      INSERT INTO tenants VALUES ('contoso', 'Contoso', 1, 2, 9, 4, 'contoso');
      INSERT INTO devices VALUES ('contoso', 'd-1', x'00ff', 1, 'inventory'))sql"));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> store, OpenSqliteStore(path_));
  EXPECT_EQ(Version(), static_cast<std::int64_t>(Migrations().size()));
  const auto read = [&] {
    return store->ReadDecisionFacts({"contoso", "u-1", "", "d-1"}, SampleTime()).value();
  };
  EXPECT_EQ(read().device->state, std::string("\x00\xff", 2));
  EXPECT_EQ(read().policy_revision, 0u);
  EXPECT_FALSE(read().device_block.has_value());
  EXPECT_EQ(store->GetTenant("contoso")->revision, 9u) << "the bundle is what it was";
  ASSERT_OK(store->ChangePolicies("contoso", 0, {SamplePolicy("p-1")}, {}, SampleCause()));
  ASSERT_OK(store->PutUsers("contoso", {SampleUser("u-1")}, SampleCause()));
  ASSERT_OK(store->Block(SampleBlock(BlockRecord::Kind::kDevice, "d-1"), SampleCause()));
  EXPECT_EQ(read().policy_revision, 1u);
  EXPECT_EQ(read().user, SampleUser("u-1"));
  EXPECT_TRUE(read().device_block.has_value());
}

// Of schema version 10, whose segments do not say by whose word: they are read as they are, and the
// journal goes on in the one that is active.
TEST_F(OlderFilesTest, SegmentsOfVersion10SayNothingOfIdentityAndAreWrittenOn) {
  SqliteStoreOptions options;
  options.segment_intents = 2;
  const auto nameless = [](const char* request_id) {
    Intent intent = SampleIntent(request_id);
    intent.identity = intent.token_issuer = intent.token_id = "";
    return intent;
  };
  {
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> store, OpenSqliteStore(path_, options));
    ASSERT_OK(AddSamplePrimary(*store));
    for (const char* request_id : {"one", "two", "three"}) {
      ASSERT_OK(Append(*store, nameless(request_id)));
    }
  }
  for (const char* segment : {"1", "2"}) {
    ASSERT_OK(Connection::Open(absl::StrCat(path_, ".journal/0000000", segment, ".sqlite"),
                               std::chrono::milliseconds(1000))
                  .value()
                  ->Execute("ALTER TABLE intents DROP COLUMN identity;"
                            "ALTER TABLE intents DROP COLUMN token_issuer;"
                            "ALTER TABLE intents DROP COLUMN token_id"));
  }
  ASSERT_OK(Connect()->Execute(
      "DROP TABLE refusals; DROP TABLE decision_events; DROP TABLE newest_decision_events;"
      "DROP TABLE device_keys; PRAGMA user_version = 10"));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> store, OpenSqliteStore(path_, options));
  EXPECT_EQ(Version(), static_cast<std::int64_t>(Migrations().size()));
  EXPECT_EQ(store->FindByRequestId(kSampleTenant, "one")->intent, nameless("one"));
  EXPECT_EQ(store->FindByRequestId(kSampleTenant, "three")->intent, nameless("three"));
  ASSERT_OK(Append(*store, SampleIntent("four")));
  EXPECT_EQ(store->FindByRequestId(kSampleTenant, "three")->intent, nameless("three"));
  EXPECT_EQ(store->FindByRequestId(kSampleTenant, "four")->intent, SampleIntent("four"));
  EXPECT_EQ(store->ListJournal(kSampleTenant, {}, 10, "")->records.size(), 4u);
}

// Of schema version 5, which did not mind; the names of before stay, and nobody else gets them.
TEST_F(OlderFilesTest, TenantsOfOneNameGoOn) {
  ASSERT_OK(Migrate(*Connect(), Migrations().first(5)));
  ASSERT_OK(Connect()->Execute(R"sql(
      INSERT INTO tenants VALUES ('second', 'CONTOSO', 2, 0, 0, 0);
      INSERT INTO tenants VALUES ('first', 'Contoso', 1, 0, 0, 0);
      INSERT INTO tenants VALUES ('other', 'Fabrikam', 3, 0, 0, 0))sql"));
  for (int start = 0; start < 2; ++start) {
    ASSERT_OK_AND_ASSIGN(const auto store, OpenSqliteStore(path_));
    ASSERT_OK_AND_ASSIGN(const auto tenants, store->ListTenants());
    ASSERT_EQ(tenants.size(), 3u);
    TenantRecord taken;
    taken.tenant_id = "taken";
    for (const char* name : {"contoso", "fabrikam"}) {
      taken.display_name = name;
      EXPECT_THAT(store->CreateTenant(taken),
                  FailsWith(ErrorReason::kDisplayNameTaken, "display_name"));
    }
  }
  EXPECT_EQ(Connect()
                ->QueryInteger("SELECT count(*) FROM tenants WHERE root_name_key IS NULL AND "
                               "tenant_id = 'second'")
                .value(),
            1);
}

}  // namespace
}  // namespace hourglass::issuance::sqlite
