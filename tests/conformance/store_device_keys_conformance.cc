#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/conformance/store_conformance.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

using State = DeviceKeyRecord::State;
using Approval = DeviceKeyStore::Approval;
using testing::ElementsAre;
using testing::IsEmpty;

absl::StatusOr<DeviceKeyRecord> Enrol(Store& store, const DeviceKeyRecord& key,
                                      Approval approval = Approval::kLater) {
  return store.EnrolDeviceKey(key, approval, SampleCause());
}

std::vector<DeviceKeyRecord> KeysOf(Store& store, const DeviceKeyFilter& filter = {},
                                    absl::string_view tenant_id = kSampleTenant) {
  const auto page = store.ListDeviceKeys(tenant_id, filter, kMaxPageSize, "");
  EXPECT_OK(page);
  return page.ok() ? page->records : std::vector<DeviceKeyRecord>();
}

DecisionFacts FactsOf(Store& store, absl::string_view device_id,
                      absl::string_view tenant_id = kSampleTenant) {
  const auto facts = store.ReadDecisionFacts({tenant_id, "", "", device_id}, SampleTime());
  EXPECT_OK(facts);
  return facts.ok() ? *facts : DecisionFacts();
}

TEST_P(DeviceKeyStoreConformance, KeepsKeysInEveryField) {
  const DeviceKeyRecord plain = SampleDeviceKey("a", "laptop-1");
  EXPECT_THAT(Enrol(*store_, plain), FailsWith(ErrorReason::kTenantUnknown, "tenant_id"));
  EXPECT_THAT(KeysOf(*store_), IsEmpty()) << "of a tenant that there is not";
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  ASSERT_OK(store_->CreateTenant(SampleTenant("fabrikam")));
  DeviceKeyRecord unusual = SampleDeviceKey("b", kUnusualText);
  unusual.public_key = AllOctets();
  unusual.state = State::kApproved;
  unusual.enrolled_by = "itself";
  const ChangeCause enrolment = {SampleTime(4), absl::StrCat("by ", kUnusualText), kUnusualText};
  ASSERT_OK(store_->EnrolDeviceKey(unusual, Approval::kLater, enrolment));
  unusual.state = State::kPending;
  unusual.enrolled_at = enrolment.now;
  unusual.enrolled_by = enrolment.caller;
  EXPECT_THAT(KeysOf(*store_), ElementsAre(unusual));
  const ChangeCause approval = {SampleTime(5), absl::StrCat("and ", kUnusualText), "it was seen"};
  unusual.state = State::kApproved;
  unusual.approved_at = approval.now;
  unusual.approved_by = approval.caller;
  unusual.approval_reason = approval.reason;
  EXPECT_EQ(store_->ApproveDeviceKey(kSampleTenant, unusual.key_id, false, approval).value(),
            unusual);
  const ChangeCause removal = {SampleTime(6), "another", absl::StrCat("lost ", kUnusualText)};
  unusual.state = State::kRemoved;
  unusual.removed_at = removal.now;
  unusual.removed_by = removal.caller;
  unusual.removal_reason = removal.reason;
  unusual.is_released = true;
  EXPECT_EQ(store_->RemoveDeviceKey(kSampleTenant, unusual.key_id, true, removal).value(), unusual);
  EXPECT_THAT(KeysOf(*store_), ElementsAre(unusual)) << "what was removed stays on record";
  EXPECT_THAT(KeysOf(*store_, {}, "fabrikam"), IsEmpty());
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> other, place_->Open());
  EXPECT_EQ(KeysOf(*other), KeysOf(*store_));
}

TEST_P(DeviceKeyStoreConformance, AKeyIsEnrolledOnceForOneDevice) {
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  ASSERT_OK(store_->CreateTenant(SampleTenant("fabrikam")));
  const DeviceKeyRecord key = SampleDeviceKey("a", "laptop-1");
  ASSERT_OK(Enrol(*store_, key));
  DeviceKeyRecord again = key;
  again.device_id = "LAPTOP-1";
  EXPECT_EQ(Enrol(*store_, again).value(), key) << "in other letters it is the same device";
  const auto exists = FailsWith(ErrorReason::kDeviceKeyExists, "public_key");
  EXPECT_THAT(Enrol(*store_, SampleDeviceKey("a", "laptop-2")), exists);
  EXPECT_OK(Enrol(*store_, SampleDeviceKey("a", "laptop-2", "fabrikam"))) << "tenants are walls";
  ASSERT_OK(store_->RemoveDeviceKey(kSampleTenant, key.key_id, true, SampleCause()));
  EXPECT_THAT(Enrol(*store_, key), exists);
  EXPECT_THAT(Enrol(*store_, SampleDeviceKey("b", " ")),
              FailsWith(ErrorReason::kFieldInvalid, "device_id"));
  EXPECT_EQ(KeysOf(*store_).size(), 1u);
}

TEST_P(DeviceKeyStoreConformance, ATokenApprovesTheFirstKeyOfADevice) {
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  ASSERT_OK_AND_ASSIGN(const DeviceKeyRecord first,
                       Enrol(*store_, SampleDeviceKey("a", "laptop-1"), Approval::kIfFirst));
  EXPECT_EQ(first.state, State::kApproved);
  EXPECT_EQ(first.approved_by, SampleCause().caller);
  EXPECT_EQ(Enrol(*store_, SampleDeviceKey("b", "LAPTOP-1"), Approval::kIfFirst)->state,
            State::kPending);
  ASSERT_OK(store_->RemoveDeviceKey(kSampleTenant, first.key_id, false, SampleCause()));
  EXPECT_EQ(Enrol(*store_, SampleDeviceKey("c", "laptop-1"), Approval::kIfFirst)->state,
            State::kPending)
      << "who took the laptop may have a token, too";
  EXPECT_EQ(Enrol(*store_, SampleDeviceKey("d", "laptop-2"), Approval::kIfFirst)->state,
            State::kApproved);
}

TEST_P(DeviceKeyStoreConformance, OnlySoManyKeysOfADeviceWait) {
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  for (std::size_t i = 0; i < DeviceKeyStore::kMostPendingOfDevice; ++i) {
    ASSERT_OK(Enrol(*store_, SampleDeviceKey(absl::StrCat(i), "laptop-1")));
  }
  EXPECT_THAT(Enrol(*store_, SampleDeviceKey("more", "Laptop-1")),
              FailsWith(ErrorReason::kQuotaExceeded, "device_id"));
  EXPECT_OK(Enrol(*store_, SampleDeviceKey("0", "laptop-1"))) << "it waits already";
  EXPECT_OK(Enrol(*store_, SampleDeviceKey("more", "laptop-2")));
  ASSERT_OK(store_->RemoveDeviceKey(kSampleTenant, "id-of-0", false, SampleCause()));
  EXPECT_OK(Enrol(*store_, SampleDeviceKey("another", "laptop-1")));
}

TEST_P(DeviceKeyStoreConformance, ADeviceHasOneApprovedKey) {
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  ASSERT_OK(Enrol(*store_, SampleDeviceKey("a", "laptop-1")));
  ASSERT_OK(Enrol(*store_, SampleDeviceKey("b", "LAPTOP-1")));
  const auto approve = [&](const char* key, bool replaces) {
    return store_->ApproveDeviceKey(kSampleTenant, key, replaces, SampleCause());
  };
  EXPECT_EQ(approve("id-of-a", false)->state, State::kApproved);
  EXPECT_EQ(approve("id-of-a", false)->state, State::kApproved) << "again";
  EXPECT_THAT(approve("id-of-b", false), FailsWith(ErrorReason::kDeviceKeyExists, "key_id"));
  EXPECT_EQ(FactsOf(*store_, "laptop-1").device_key->key_id, "id-of-a");
  EXPECT_EQ(approve("id-of-b", true)->state, State::kApproved);
  EXPECT_EQ(FactsOf(*store_, "laptop-1").device_key->key_id, "id-of-b");
  const auto unknown = FailsWith(ErrorReason::kDeviceKeyUnknown, "key_id");
  EXPECT_THAT(approve("id-of-a", true), unknown) << "it was replaced";
  EXPECT_THAT(approve("id-of-c", true), unknown);
  EXPECT_THAT(store_->ApproveDeviceKey("nobody", "id-of-b", true, SampleCause()), unknown);
  EXPECT_THAT(store_->RemoveDeviceKey(kSampleTenant, "id-of-a", false, SampleCause()), unknown);
  EXPECT_THAT(store_->RemoveDeviceKey("nobody", "id-of-b", false, SampleCause()), unknown);
  EXPECT_THAT(
      ActionsOf(*store_),
      ElementsAre("device_key_approved LAPTOP-1 id-of-b", "device_key_removed laptop-1 id-of-a",
                  "device_key_approved laptop-1 id-of-a", "device_key_enrolled LAPTOP-1 id-of-b",
                  "device_key_enrolled laptop-1 id-of-a"));
}

// All that a verdict asks: by which key, and whether by one at all.
TEST_P(DeviceKeyStoreConformance, ADeviceIsBoundUntilItIsReleased) {
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  ASSERT_OK(store_->CreateTenant(SampleTenant("fabrikam")));
  const auto expect = [&](const char* key_id, bool is_bound, const char* when) {
    for (const char* spelling : {"Laptop-1", "laptop-1", "LAPTOP-1 "}) {
      const DecisionFacts facts = FactsOf(*store_, spelling);
      EXPECT_EQ(facts.device_key.has_value() ? facts.device_key->key_id : "", key_id) << when;
      EXPECT_EQ(facts.device_is_bound, is_bound) << when;
    }
    for (const DecisionFacts& facts :
         {FactsOf(*store_, "laptop-2"), FactsOf(*store_, ""),
          FactsOf(*store_, "laptop-1", "fabrikam"), FactsOf(*store_, "laptop-1", "nobody")}) {
      EXPECT_FALSE(facts.device_key.has_value()) << when;
      EXPECT_FALSE(facts.device_is_bound) << when;
    }
  };
  const auto remove = [&](const char* key_id, bool releases) {
    return store_->RemoveDeviceKey(kSampleTenant, key_id, releases, SampleCause());
  };
  expect("", false, "at first");
  ASSERT_OK(Enrol(*store_, SampleDeviceKey("a", "Laptop-1")));
  ASSERT_OK(Enrol(*store_, SampleDeviceKey("b", "Laptop-1")));
  ASSERT_OK(Enrol(*store_, SampleDeviceKey("c", "Laptop-1")));
  expect("", false, "while they wait");
  ASSERT_OK(remove("id-of-c", false));
  expect("", false, "that one which waited was removed binds nobody");
  ASSERT_OK_AND_ASSIGN(const DeviceKeyRecord approved,
                       store_->ApproveDeviceKey(kSampleTenant, "id-of-a", false, {}));
  expect("id-of-a", true, "once one is approved");
  EXPECT_EQ(FactsOf(*store_, "laptop-1").device_key, approved);
  ASSERT_OK(store_->ApproveDeviceKey(kSampleTenant, "id-of-b", true, {}));
  expect("id-of-b", true, "once it is replaced");
  ASSERT_OK(remove("id-of-b", false));
  expect("", true, "once it is removed");
  ASSERT_OK(Enrol(*store_, SampleDeviceKey("d", "laptop-1")));
  ASSERT_OK(remove("id-of-d", true));
  expect("", false, "once it is released, of all that were removed");
  ASSERT_OK(Enrol(*store_, SampleDeviceKey("e", "laptop-1")));
  ASSERT_OK(store_->ApproveDeviceKey(kSampleTenant, "id-of-e", false, {}));
  expect("id-of-e", true, "once another is approved");
}

TEST_P(DeviceKeyStoreConformance, PagesOfKeysAreCompleteAndInOrder) {
  ASSERT_OK(store_->CreateTenant(SampleTenant()));
  ASSERT_OK(store_->CreateTenant(SampleTenant("fabrikam")));
  ASSERT_OK(Enrol(*store_, SampleDeviceKey("x", "a", "fabrikam")));
  const std::pair<const char*, const char*> keys[] = {
      {"3", "aa"}, {"2", "A"}, {"1", "a"}, {"5", "\xc3\xa9"}, {"4", "b:c"}};
  for (const auto& [name, device] : keys) ASSERT_OK(Enrol(*store_, SampleDeviceKey(name, device)));
  ASSERT_OK(store_->ApproveDeviceKey(kSampleTenant, "id-of-2", false, {}));
  const auto listed = [&](const DeviceKeyFilter& filter, int page_size) {
    std::vector<std::string> ids;
    std::string token;
    do {
      const auto page = store_->ListDeviceKeys(kSampleTenant, filter, page_size, token);
      EXPECT_OK(page);
      if (!page.ok()) return std::vector<std::string>{"error"};
      EXPECT_LE(page->records.size(), static_cast<std::size_t>(page_size));
      for (const DeviceKeyRecord& key : page->records) ids.push_back(key.key_id);
      token = page->next_page_token;
    } while (!token.empty());
    return ids;
  };
  for (const int page_size : {1, 2, 3, 4, 5, 6}) {
    EXPECT_THAT(listed({}, page_size),
                ElementsAre("id-of-1", "id-of-2", "id-of-3", "id-of-4", "id-of-5"))
        << page_size;
    EXPECT_THAT(listed({"A", {}}, page_size), ElementsAre("id-of-1", "id-of-2")) << page_size;
    EXPECT_THAT(listed({"", State::kPending}, page_size),
                ElementsAre("id-of-1", "id-of-3", "id-of-4", "id-of-5"))
        << page_size;
    EXPECT_THAT(listed({"a", State::kApproved}, page_size), ElementsAre("id-of-2")) << page_size;
    EXPECT_THAT(listed({"nothing", {}}, page_size), IsEmpty()) << page_size;
  }
  for (const int page_size : {-1, 0, kMaxPageSize + 1}) {
    EXPECT_THAT(store_->ListDeviceKeys(kSampleTenant, {}, page_size, ""),
                FailsWith(ErrorReason::kFieldInvalid, "page_size"));
  }
  for (const std::string& token : {std::string("x"), absl::WebSafeBase64Escape("k1:id"),
                                   absl::WebSafeBase64Escape("b1:device:a")}) {
    EXPECT_THAT(store_->ListDeviceKeys(kSampleTenant, {}, 1, token),
                FailsWith(ErrorReason::kFieldInvalid, "page_token"));
  }
}

}  // namespace
}  // namespace hourglass::issuance
