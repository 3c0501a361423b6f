#include "issuance/services/journal_service.h"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "issuance/services/record_mapper.h"
#include "issuance/services/testing/service_test.h"
#include "issuance/wire/proto_time.h"

namespace hourglass::issuance {
namespace {

using ProtoTime = google::protobuf::Timestamp;
using testing::ElementsAre;
using testing::IsEmpty;

class JournalServiceTest : public ServiceTest {
 protected:
  void SetUp() override {
    ServiceTest::SetUp();
    ASSERT_OK(AddSamplePrimary(*store_));
    service_.emplace(nullptr, store_.get(), store_.get(), store_.get(), &clock_);
  }

  // Of another user and device each, a second after the one before.
  Intent Add(int number) {
    Intent intent = SampleIntent(absl::StrCat("request-", number));
    intent.user_upn = absl::StrCat("user", number, "@contoso.example");
    intent.device_id = absl::StrCat("laptop-", number);
    intent.intended_at = SampleTime(number);
    EXPECT_OK(Append(*store_, intent));
    return intent;
  }

  static v1::ListCertificatesRequest All() {
    v1::ListCertificatesRequest request;
    request.set_tenant_id("contoso");
    return request;
  }

  absl::StatusOr<v1::ListCertificatesResponse> List(const v1::ListCertificatesRequest& request) {
    v1::ListCertificatesResponse response;
    const absl::Status status = service_->ListCertificates(administrator_, request, &response);
    if (!status.ok()) return status;
    return response;
  }

  // What the request finds, by request id.
  std::vector<std::string> Found(const v1::ListCertificatesRequest& request) {
    const auto page = List(request);
    EXPECT_OK(page);
    std::vector<std::string> ids;
    if (!page.ok()) return ids;
    for (const v1::JournalEntry& entry : page->entries()) ids.push_back(entry.request_id());
    return ids;
  }

  absl::StatusOr<v1::JournalEntry> Get(const std::string& serial_number,
                                       const std::string& tenant_id = "contoso") {
    v1::GetCertificateRequest request;
    request.set_tenant_id(tenant_id);
    request.set_serial_number(serial_number);
    v1::JournalEntry entry;
    const absl::Status status = service_->GetCertificate(administrator_, request, &entry);
    if (!status.ok()) return status;
    return entry;
  }

  absl::StatusOr<v1::ListAdministrativeActionsResponse> Actions(
      std::uint32_t page_size = 0, const std::string& page_token = "",
      const std::string& tenant_id = "contoso") {
    v1::ListAdministrativeActionsRequest request;
    request.set_tenant_id(tenant_id);
    request.set_page_size(page_size);
    request.set_page_token(page_token);
    v1::ListAdministrativeActionsResponse response;
    const absl::Status status =
        service_->ListAdministrativeActions(administrator_, request, &response);
    if (!status.ok()) return status;
    return response;
  }

  std::optional<JournalService> service_;
};

TEST_F(JournalServiceTest, EntriesAreShownWholeTheNewestFirst) {
  const Intent first = Add(1);
  const Intent second = Add(2);
  const Release release = ReleaseOf(first);
  ASSERT_OK(Append(*store_, release));
  ASSERT_OK_AND_ASSIGN(const v1::ListCertificatesResponse page, List(All()));
  ASSERT_EQ(page.entries_size(), 2);
  EXPECT_THAT(page.entries(0), IsMessage(ToProto(JournalRecord{second, "", {}})));
  const v1::JournalEntry released =
      ToProto(JournalRecord{first, release.certificate, release.released_at});
  EXPECT_THAT(page.entries(1), IsMessage(released));
  ASSERT_OK_AND_ASSIGN(const v1::JournalEntry got, Get(first.serial_number));
  EXPECT_THAT(got, IsMessage(released));
}

TEST_F(JournalServiceTest, EachFieldNarrows) {
  Add(1);
  const Intent second = Add(2);
  Add(3);
  EXPECT_THAT(Found(All()), ElementsAre("request-3", "request-2", "request-1"));
  v1::ListCertificatesRequest request = All();
  request.set_user_upn("USER2@contoso.example");
  EXPECT_THAT(Found(request), ElementsAre("request-2"));
  request = All();
  request.set_device_id("laptop-2");
  EXPECT_THAT(Found(request), ElementsAre("request-2"));
  request.set_user_upn("user1@contoso.example");
  EXPECT_THAT(Found(request), IsEmpty());
  request = All();
  request.set_serial_number(second.serial_number);
  EXPECT_THAT(Found(request), ElementsAre("request-2"));
}

TEST_F(JournalServiceTest, ATimeFromIsOfTheRangeAndATimeBeforeIsNot) {
  for (int i = 1; i <= 3; ++i) Add(i);
  v1::ListCertificatesRequest request = All();
  *request.mutable_intended_from() = ToProto(SampleTime(2));
  EXPECT_THAT(Found(request), ElementsAre("request-3", "request-2"));
  *request.mutable_intended_before() = ToProto(SampleTime(3));
  EXPECT_THAT(Found(request), ElementsAre("request-2"));
  request.clear_intended_from();
  EXPECT_THAT(Found(request), ElementsAre("request-2", "request-1"));
  // One that is there is meant, though it is zero.
  *request.mutable_intended_before() = ProtoTime();
  EXPECT_THAT(Found(request), IsEmpty());
}

TEST_F(JournalServiceTest, LiveIsWhatHasNotExpiredByAClockThatIsBelieved) {
  for (int i = 1; i <= 2; ++i) {
    const Intent intent = Add(i);
    ASSERT_OK(Append(*store_, ReleaseOf(intent)));
  }
  Add(3);
  v1::ListCertificatesRequest request = All();
  request.set_live(true);
  EXPECT_THAT(Found(request), ElementsAre("request-2", "request-1"));
  request.set_device_id("laptop-1");
  EXPECT_THAT(Found(request), ElementsAre("request-1"));
  clock_.believed = false;
  EXPECT_THAT(List(request), FailsWith(ErrorReason::kClockUntrusted));
  EXPECT_THAT(Found(All()), ElementsAre("request-3", "request-2", "request-1"));
  clock_.believed = true;
  clock_.now = Timestamp(SampleIntent("request-1").not_after + std::chrono::seconds(1));
  EXPECT_THAT(Found(request), IsEmpty());
}

TEST_F(JournalServiceTest, SaysWhichFieldOfASearchIsWrong) {
  const std::pair<const char*, const char*> refused[] = {
      {"device_id: 'a b'", "device_id"},
      {"serial_number: '123456789012345'", "serial_number"},
      {"serial_number: '12345678901234567'", "serial_number"},
      {"intended_from { seconds: -62135596801 }", "intended_from"},
      {"intended_from { nanos: 1000000000 }", "intended_from"},
      {"intended_before { seconds: 253402300800 }", "intended_before"},
      {"intended_before { nanos: -1 }", "intended_before"},
      {"user_upn: 'a\\nb'", "user_upn"},
      {"page_size: 1001", "page_size"},
      {"page_token: 'forged'", "page_token"},
  };
  for (const auto& [text, field] : refused) {
    v1::ListCertificatesRequest request = All();
    request.MergeFrom(MessageOf<v1::ListCertificatesRequest>(text));
    EXPECT_THAT(List(request), FailsWith(ErrorReason::kFieldInvalid, field)) << text;
  }
  for (const char* text :
       {"serial_number: '1234567890123456'", "intended_from { seconds: -62135596800 }",
        "intended_before { seconds: 253402300799 nanos: 999999999 }", "user_upn: 'nobody'",
        "page_size: 1000"}) {
    v1::ListCertificatesRequest request = All();
    request.MergeFrom(MessageOf<v1::ListCertificatesRequest>(text));
    EXPECT_OK(List(request)) << text;
  }
}

TEST_F(JournalServiceTest, SearchedNamesAreOfBoundedLength) {
  v1::ListCertificatesRequest request = All();
  request.set_user_upn(std::string(256, 'x'));
  EXPECT_OK(List(request));
  request.set_user_upn(std::string(257, 'x'));
  EXPECT_THAT(List(request), FailsWith(ErrorReason::kFieldInvalid, "user_upn"));
  request = All();
  request.set_device_id(std::string(128, 'x'));
  EXPECT_OK(List(request));
  request.set_device_id(std::string(129, 'x'));
  EXPECT_THAT(List(request), FailsWith(ErrorReason::kFieldInvalid, "device_id"));
}

// What was recorded before the rule for new ids is found.
TEST_F(JournalServiceTest, LooksForIdsThatWouldNotBeTakenNow) {
  Intent old = SampleIntent("request-1");
  old.device_id = "laptop*";
  ASSERT_OK(Append(*store_, old));
  v1::ListCertificatesRequest request = All();
  request.set_device_id("laptop*");
  EXPECT_THAT(Found(request), ElementsAre("request-1"));
}

TEST_F(JournalServiceTest, ListsPageByPage) {
  for (int i = 1; i <= 5; ++i) Add(i);
  v1::ListCertificatesRequest request = All();
  request.set_page_size(2);
  std::vector<std::string> tokens;
  for (const std::vector<std::string>& wanted : std::vector<std::vector<std::string>>{
           {"request-5", "request-4"}, {"request-3", "request-2"}, {"request-1"}}) {
    EXPECT_EQ(Found(request), wanted);
    ASSERT_OK_AND_ASSIGN(const v1::ListCertificatesResponse page, List(request));
    tokens.push_back(page.next_page_token());
    request.set_page_token(page.next_page_token());
  }
  EXPECT_EQ(tokens[2], "");
}

TEST_F(JournalServiceTest, APageHasAHundredWhereNobodySays) {
  std::vector<JournalWrite> writes;
  for (int i = 0; i < 101; ++i) writes.push_back(SampleIntent(absl::StrCat("request-", i)));
  ASSERT_OK(store_->AppendToJournal(writes));
  v1::ListCertificatesRequest request = All();
  EXPECT_EQ(Found(request).size(), 100u);
  request.set_page_size(101);
  EXPECT_EQ(Found(request).size(), 101u);
}

TEST_F(JournalServiceTest, SerialNumbersHaveSixteenOctets) {
  const Intent intent = Add(1);
  EXPECT_OK(Get(intent.serial_number));
  EXPECT_THAT(Get(""), FailsWith(ErrorReason::kFieldMissing, "serial_number"));
  for (const std::size_t size : {1u, 15u, 17u}) {
    EXPECT_THAT(Get(std::string(size, '\x01')),
                FailsWith(ErrorReason::kFieldInvalid, "serial_number"))
        << size;
  }
  EXPECT_THAT(Get(std::string(16, '\0')), FailsWith(ErrorReason::kCertificateUnknown));
}

TEST_F(JournalServiceTest, EntriesAreOfTheirTenantOnly) {
  const Intent intent = Add(1);
  ASSERT_OK(store_->CreateTenant(SampleTenant("fabrikam")));
  v1::ListCertificatesRequest request = All();
  request.set_tenant_id("fabrikam");
  EXPECT_THAT(Found(request), IsEmpty());
  EXPECT_THAT(Get(intent.serial_number, "fabrikam"), FailsWith(ErrorReason::kCertificateUnknown));
  request.set_tenant_id("unknown");
  EXPECT_THAT(List(request), FailsWith(ErrorReason::kTenantUnknown, "tenant_id"));
}

TEST_F(JournalServiceTest, AdministrativeActionsAreShownWholeTheNewestFirst) {
  ASSERT_OK_AND_ASSIGN(const v1::ListAdministrativeActionsResponse before, Actions());
  // A root, and its promotion.
  EXPECT_EQ(before.actions_size(), 2);
  RelyingPartyRecord party;
  party.tenant_id = "contoso";
  party.name = "vpn-1";
  party.identity = "gateway";
  ASSERT_OK(store_->AddRelyingParty(party, {SampleTime(1), "cli", ""}));
  ASSERT_OK(store_->RemoveRelyingParty("contoso", "vpn-1", {SampleTime(2), "cli", "is gone"}));
  ASSERT_OK_AND_ASSIGN(const v1::ListAdministrativeActionsResponse page, Actions());
  ASSERT_EQ(page.actions_size(), 4);
  ASSERT_OK_AND_ASSIGN(const Page<AdministrativeAction> kept,
                       store_->ListAdministrativeActions("contoso", 100, ""));
  for (int i = 0; i < 4; ++i) EXPECT_THAT(page.actions(i), IsMessage(ToProto(kept.records[i])));
  EXPECT_EQ(page.actions(0).action(), "relying_party_removed");
  EXPECT_EQ(page.actions(0).reason(), "is gone");
  EXPECT_EQ(page.actions(1).action(), "relying_party_registered");
  EXPECT_GT(page.actions(0).sequence(), page.actions(1).sequence());
  EXPECT_EQ(page.next_page_token(), "");
}

TEST_F(JournalServiceTest, AdministrativeActionsAreListedPageByPage) {
  ASSERT_OK_AND_ASSIGN(const v1::ListAdministrativeActionsResponse first, Actions(1));
  ASSERT_EQ(first.actions_size(), 1);
  ASSERT_OK_AND_ASSIGN(const v1::ListAdministrativeActionsResponse last,
                       Actions(1, first.next_page_token()));
  ASSERT_EQ(last.actions_size(), 1);
  EXPECT_EQ(last.next_page_token(), "");
  EXPECT_EQ(first.actions(0).action(), "root_promoted");
  EXPECT_EQ(last.actions(0).action(), "root_created");
  EXPECT_THAT(Actions(1001), FailsWith(ErrorReason::kFieldInvalid, "page_size"));
  EXPECT_THAT(Actions(1, "forged"), FailsWith(ErrorReason::kFieldInvalid, "page_token"));
}

TEST_F(JournalServiceTest, AdministrativeActionsAreOfTheirTenantOnly) {
  ASSERT_OK(store_->CreateTenant(SampleTenant("fabrikam")));
  ASSERT_OK_AND_ASSIGN(const v1::ListAdministrativeActionsResponse page,
                       Actions(0, "", "fabrikam"));
  EXPECT_EQ(page.actions_size(), 0);
  EXPECT_THAT(Actions(0, "", "unknown"), FailsWith(ErrorReason::kTenantUnknown, "tenant_id"));
}

}  // namespace
}  // namespace hourglass::issuance
