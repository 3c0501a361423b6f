#include <gmock/gmock.h>

#include <atomic>
#include <optional>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/conformance/store_conformance.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

using Kind = BlockRecord::Kind;

DecisionFacts Read(Store& store, absl::string_view user_id, absl::string_view user_upn,
                   absl::string_view device_id, absl::string_view tenant_id = kSampleTenant,
                   Timestamp now = SampleTime()) {
  const auto facts = store.ReadDecisionFacts({tenant_id, user_id, user_upn, device_id}, now);
  EXPECT_OK(facts);
  return facts.ok() ? *facts : DecisionFacts();
}

void ExpectNothing(const DecisionFacts& facts) {
  EXPECT_FALSE(facts.device.has_value());
  EXPECT_FALSE(facts.user.has_value());
  EXPECT_FALSE(facts.device_block.has_value());
  EXPECT_FALSE(facts.user_block.has_value());
}

// Blocks the user until then.
absl::Status BlockUser(Store& store, absl::string_view subject,
                       std::optional<Timestamp> until = std::nullopt) {
  BlockRecord block = SampleBlock(Kind::kUser, subject);
  block.until = until;
  return store.Block(block, SampleCause());
}

TEST_P(DecisionFactsStoreConformance, GivesAllThatIsKnown) {
  ExpectNothing(Read(*store_, "u", "u@x", "d", "nobody"));
  for (const absl::string_view tenant : {"contoso", "fabrikam"}) {
    ASSERT_OK(store_->CreateTenant(SampleTenant(tenant)));
    ExpectNothing(Read(*store_, "u", "u@contoso.example", "d", tenant));
    EXPECT_EQ(Read(*store_, "u", "u@contoso.example", "d", tenant).policy_revision, 0u);
  }
  ASSERT_OK(store_->ChangePolicies(kSampleTenant, 0, {SamplePolicy("a")}, {}, SampleCause()));
  ASSERT_OK(store_->ChangePolicies(kSampleTenant, 1, {SamplePolicy("b")}, {}, SampleCause()));
  DeviceRecord device = SampleDevice(kUnusualText);
  device.state = AllOctets();
  ASSERT_OK(store_->PutDevice(device));
  ASSERT_OK(store_->PutDevice(SampleDevice("")));
  DirectoryUser user = SampleUser(kUnusualText);
  user.upn = "U\xcc\x88ser@contoso.example";
  ASSERT_OK(store_->PutUsers(kSampleTenant, {user, SampleUser("another")}, SampleCause()));
  BlockRecord of_device = SampleBlock(Kind::kDevice, kUnusualText);
  of_device.until = SampleTime(1);
  ASSERT_OK(store_->Block(of_device, SampleCause()));
  ASSERT_OK(BlockUser(*store_, kUnusualText));

  const DecisionFacts facts = Read(*store_, kUnusualText, "", kUnusualText);
  EXPECT_EQ(facts.policy_revision, 2u);
  EXPECT_EQ(facts.device, device);
  EXPECT_EQ(facts.user, user);
  EXPECT_EQ(facts.device_block, of_device);
  EXPECT_EQ(facts.user_block, SampleBlock(Kind::kUser, kUnusualText));
  ExpectNothing(Read(*store_, kUnusualText, "", kUnusualText, "fabrikam"));
  // Each without the others.
  const DecisionFacts of_nobody = Read(*store_, "", "", kUnusualText);
  EXPECT_EQ(of_nobody.device, device);
  EXPECT_EQ(of_nobody.device_block, of_device);
  EXPECT_FALSE(of_nobody.user.has_value());
  EXPECT_FALSE(of_nobody.user_block.has_value());
  const DecisionFacts of_no_device = Read(*store_, "another", "", "");
  EXPECT_EQ(of_no_device.user, SampleUser("another"));
  EXPECT_FALSE(of_no_device.user_block.has_value());
  EXPECT_FALSE(of_no_device.device.has_value()) << "an id that is not known is no id";
  EXPECT_EQ(of_no_device.policy_revision, 2u);
  ExpectNothing(Read(*store_, "", "", ""));
}

TEST_P(DecisionFactsStoreConformance, AUserIsFoundByTheIdAndElseByTheUpn) {
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  ASSERT_OK(store_->PutUsers(kSampleTenant, {SampleUser("a"), SampleUser("b")}, SampleCause()));
  EXPECT_EQ(Read(*store_, "a", "b@contoso.example", "").user, SampleUser("a"));
  EXPECT_EQ(Read(*store_, "", " B@Contoso.Example", "").user, SampleUser("b"));
  EXPECT_FALSE(Read(*store_, "c", "b@contoso.example", "").user.has_value())
      << "who has an id that is not known is not whoever has his name";
  EXPECT_FALSE(Read(*store_, "", "a", "").user.has_value());
  EXPECT_FALSE(Read(*store_, "a@contoso.example", "", "").user.has_value());
}

TEST_P(DecisionFactsStoreConformance, AUserIsBlockedByAnyOfHisNamesInAnySpelling) {
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  ASSERT_OK(
      store_->PutUsers(kSampleTenant, {SampleUser("Id-A"), SampleUser("Id-B")}, SampleCause()));
  const auto is_blocked = [&](absl::string_view user_id, absl::string_view upn) {
    return Read(*store_, user_id, upn, "id-a").user_block.has_value();
  };
  const auto lift = [&](absl::string_view subject) {
    ASSERT_OK(store_->Unblock(kSampleTenant, Kind::kUser, subject, SampleCause()));
  };
  // By the id, which the directory has of a name.
  ASSERT_OK(BlockUser(*store_, "ID-A"));
  EXPECT_TRUE(is_blocked("Id-A", ""));
  EXPECT_TRUE(is_blocked("id-a", "")) << "also where the directory knows no such id";
  EXPECT_TRUE(is_blocked("", "id-A@contoso.example"));
  EXPECT_FALSE(is_blocked("Id-B", "Id-B@contoso.example"));
  EXPECT_FALSE(is_blocked("", "nobody@contoso.example"));
  EXPECT_FALSE(is_blocked("", ""));
  lift("id-a");
  EXPECT_FALSE(is_blocked("Id-A", "Id-A@contoso.example"));
  // By the name, which the directory has of an id.
  ASSERT_OK(BlockUser(*store_, "ID-A@Contoso.example"));
  EXPECT_TRUE(is_blocked("Id-A", ""));
  EXPECT_TRUE(is_blocked("", "Id-A@CONTOSO.example"));
  EXPECT_TRUE(is_blocked("Id-B", "id-a@contoso.example")) << "whoever says so";
  EXPECT_FALSE(is_blocked("Id-B", ""));
  lift("id-a@contoso.example");
  // Who is in no directory.
  ASSERT_OK(BlockUser(*store_, "guest@fabrikam.example"));
  EXPECT_TRUE(is_blocked("no id that is known", "Guest@Fabrikam.example"));
  EXPECT_FALSE(is_blocked("Id-A", "Id-A@contoso.example"));
}

TEST_P(DecisionFactsStoreConformance, ADeviceIsBlockedInAnySpelling) {
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  ASSERT_OK(store_->Block(SampleBlock(Kind::kDevice, "Laptop-1"), SampleCause()));
  for (const char* device : {"Laptop-1", "laptop-1", "LAPTOP-1 "}) {
    EXPECT_TRUE(Read(*store_, "", "", device).device_block.has_value()) << device;
  }
  EXPECT_FALSE(Read(*store_, "laptop-1", "laptop-1", "laptop-2").device_block.has_value());
  EXPECT_FALSE(Read(*store_, "laptop-1", "laptop-1", "laptop-2").user_block.has_value());
}

TEST_P(DecisionFactsStoreConformance, ABlockEndsWhenItsTimeIsOver) {
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  BlockRecord of_device = SampleBlock(Kind::kDevice, "d");
  of_device.until = SampleTime(10);
  ASSERT_OK(store_->Block(of_device, SampleCause()));
  ASSERT_OK(BlockUser(*store_, "u", SampleTime(10)));
  const auto at = [&](Timestamp now) { return Read(*store_, "u", "", "d", kSampleTenant, now); };
  const DecisionFacts last = at(SampleTime(10) - std::chrono::microseconds(1));
  EXPECT_EQ(last.device_block, of_device);
  EXPECT_TRUE(last.user_block.has_value());
  EXPECT_FALSE(at(SampleTime(10)).device_block.has_value());
  EXPECT_FALSE(at(SampleTime(10)).user_block.has_value());
}

TEST_P(DecisionFactsStoreConformance, OfSeveralBlocksTheOneThatEndsLastIsGiven) {
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  ASSERT_OK(store_->PutUsers(kSampleTenant, {SampleUser("a")}, SampleCause()));
  const auto given = [&] { return Read(*store_, "a", "asks@x", "").user_block->subject; };
  ASSERT_OK(BlockUser(*store_, "a", SampleTime(5)));
  ASSERT_OK(BlockUser(*store_, "a@contoso.example", SampleTime(7)));
  ASSERT_OK(BlockUser(*store_, "asks@x", SampleTime(6)));
  EXPECT_EQ(given(), "a@contoso.example");
  ASSERT_OK(BlockUser(*store_, "asks@x"));
  EXPECT_EQ(given(), "asks@x") << "without an end it ends last";
  ASSERT_OK(store_->Unblock(kSampleTenant, Kind::kUser, "asks@x", SampleCause()));
  ASSERT_OK(BlockUser(*store_, "a@contoso.example", SampleTime(-1)));
  EXPECT_EQ(given(), "a") << "what is over is not given";
}

// No read sees a write by half, though it is one of several tables.
TEST_P(DecisionFactsStoreConformance, AReadIsOfOneMoment) {
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> other, place_->Open());
  constexpr int kRounds = 30;
  std::atomic<bool> ended = false;
  std::atomic<int> failures = 0;
  // Round by round: policies first, then the device's report, then the user.
  std::thread writer([&] {
    for (int i = 1; i <= kRounds; ++i) {
      PolicyRecord policy = SamplePolicy("p");
      policy.document = absl::StrCat(i);
      if (!other->ChangePolicies(kSampleTenant, std::nullopt, {policy}, {}, {}).ok()) ++failures;
      DeviceRecord device = SampleDevice("d");
      device.state = absl::StrCat(i);
      if (!other->PutDevice(device).ok()) ++failures;
      DirectoryUser user = SampleUser("u");
      user.onprem_sid = absl::StrCat(i);
      if (!other->PutUsers(kSampleTenant, {user}, SampleCause()).ok()) ++failures;
    }
    ended = true;
  });
  int looks = 0;
  while (!ended || looks == 0) {
    ++looks;
    const DecisionFacts facts = Read(*store_, "u", "", "d");
    const int of_policies = static_cast<int>(facts.policy_revision);
    const int of_device = facts.device.has_value() ? std::stoi(facts.device->state) : 0;
    const int of_user = facts.user.has_value() ? std::stoi(facts.user->onprem_sid) : 0;
    if (of_device > of_policies || of_user > of_device || of_policies > of_user + 1) ++failures;
  }
  writer.join();
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(Read(*store_, "u", "", "d").policy_revision, std::uint64_t{kRounds});
}

}  // namespace
}  // namespace hourglass::issuance
