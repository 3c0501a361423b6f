#include "issuance/services/access/block_service.h"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "issuance/services/testing/service_test.h"
#include "issuance/wire/proto_time.h"

namespace hourglass::issuance {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class BlockServiceTest : public ServiceTest {
 protected:
  void SetUp() override {
    ServiceTest::SetUp();
    ASSERT_OK(store_->CreateTenant(SampleTenant()));
    service_.emplace(nullptr, store_.get(), store_.get(), &clock_, log_.log());
  }

  static v1::PutBlockRequest Stolen(const std::string& subject = "device_id: 'laptop-1'",
                                    const std::string& tenant_id = "contoso") {
    return MessageOf<v1::PutBlockRequest>(absl::StrCat("tenant_id: '", tenant_id, "' subject { ",
                                                       subject, " } reason: 'stolen on a train'"));
  }

  absl::StatusOr<v1::Block> Put(const v1::PutBlockRequest& request) {
    v1::Block block;
    const absl::Status status = service_->PutBlock(administrator_, request, &block);
    if (!status.ok()) return status;
    return block;
  }

  absl::StatusOr<v1::Block> Remove(const std::string& subject, const std::string& more = "",
                                   const std::string& tenant_id = "contoso") {
    v1::Block block;
    const absl::Status status =
        service_->RemoveBlock(administrator_,
                              MessageOf<v1::RemoveBlockRequest>(absl::StrCat(
                                  "tenant_id: '", tenant_id, "' subject { ", subject, " }", more)),
                              &block);
    if (!status.ok()) return status;
    return block;
  }

  absl::StatusOr<v1::ListBlocksResponse> List(std::uint32_t page_size = 0,
                                              const std::string& page_token = "",
                                              const std::string& tenant_id = "contoso") {
    v1::ListBlocksRequest request;
    request.set_tenant_id(tenant_id);
    request.set_page_size(page_size);
    request.set_page_token(page_token);
    v1::ListBlocksResponse response;
    const absl::Status status = service_->ListBlocks(administrator_, request, &response);
    if (!status.ok()) return status;
    return response;
  }

  DecisionFacts FactsOf(const DecisionSubject& subject) {
    const auto facts = store_->ReadDecisionFacts(subject, clock_.now);
    EXPECT_OK(facts);
    return facts.value_or(DecisionFacts{});
  }

  std::optional<BlockService> service_;
};

std::vector<std::string> SubjectsOf(const v1::ListBlocksResponse& page) {
  std::vector<std::string> subjects;
  for (const v1::Block& block : page.blocks()) {
    subjects.push_back(block.subject().ShortDebugString());
  }
  return subjects;
}

TEST_F(BlockServiceTest, ABlockIsKeptWithWhoPutItWhenAndWhy) {
  v1::PutBlockRequest request = Stolen();
  *request.mutable_until() = ToProto(clock_.now + hours(24));
  ASSERT_OK_AND_ASSIGN(const v1::Block put, Put(request));
  v1::Block expected = MessageOf<v1::Block>(R"pb(
    tenant_id: "contoso"
    subject { device_id: "laptop-1" }
    reason: "stolen on a train"
    blocked_by: "cli")pb");
  *expected.mutable_blocked_at() = ToProto(clock_.now);
  *expected.mutable_until() = request.until();
  EXPECT_THAT(put, IsMessage(expected));
  ASSERT_OK_AND_ASSIGN(const v1::ListBlocksResponse listed, List());
  ASSERT_EQ(listed.blocks_size(), 1);
  EXPECT_THAT(listed.blocks(0), IsMessage(expected));
  EXPECT_THAT(Logged(), ElementsAre(LoggedLine{{"event", "block_put"},
                                               {"level", "info"},
                                               {"tenant", "contoso"},
                                               {"device", "laptop-1"},
                                               {"caller", "cli"}}));
  EXPECT_TRUE(FactsOf({"contoso", "", "", "laptop-1"}).device_block.has_value());
}

TEST_F(BlockServiceTest, ABlockReplacesTheOneBefore) {
  v1::PutBlockRequest request = Stolen();
  *request.mutable_until() = ToProto(clock_.now + hours(1));
  ASSERT_OK(Put(request));
  request.clear_until();
  request.set_reason("never came back");
  ASSERT_OK(Put(request));
  ASSERT_OK_AND_ASSIGN(const v1::ListBlocksResponse listed, List());
  ASSERT_EQ(listed.blocks_size(), 1);
  EXPECT_EQ(listed.blocks(0).reason(), "never came back");
  EXPECT_FALSE(listed.blocks(0).has_until());
}

TEST_F(BlockServiceTest, UsersAreBlockedByIdAndByUpn) {
  ASSERT_OK_AND_ASSIGN(const v1::Block by_id, Put(Stolen("user_id: 'u-1'")));
  EXPECT_EQ(by_id.subject().user_id(), "u-1");
  ASSERT_OK_AND_ASSIGN(const v1::Block by_upn, Put(Stolen("user_upn: 'Alice@Contoso.example'")));
  EXPECT_EQ(by_upn.subject().user_upn(), "Alice@Contoso.example");
  ASSERT_OK(Put(Stolen()));
  ASSERT_OK_AND_ASSIGN(const v1::ListBlocksResponse listed, List());
  EXPECT_THAT(SubjectsOf(listed),
              ElementsAre("device_id: \"laptop-1\"", "user_upn: \"Alice@Contoso.example\"",
                          "user_id: \"u-1\""));
  EXPECT_TRUE(FactsOf({"contoso", "u-1", "", "d"}).user_block.has_value());
  EXPECT_TRUE(FactsOf({"contoso", "", "alice@contoso.EXAMPLE", "d"}).user_block.has_value());
  EXPECT_FALSE(FactsOf({"contoso", "u-2", "bob@contoso.example", "d"}).user_block.has_value());
  // In the log a user is one, so that it can leave him out.
  const std::vector<LoggedLine> lines = Logged();
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0].at("user"), "u-1");
  EXPECT_EQ(lines[1].at("user"), "Alice@Contoso.example");
}

TEST_F(BlockServiceTest, EveryFieldIsChecked) {
  struct Case {
    const char* request;
    ErrorReason reason;
    const char* field;
  };
  const std::string long_id(129, 'x'), long_reason(257, 'x');
  const std::string long_device =
      absl::StrCat("subject { device_id: '", long_id, "' } reason: 'x'");
  const std::string long_user =
      absl::StrCat("subject { user_id: '", long_id.substr(0, 65), "' } reason: 'x'");
  const std::string too_long =
      absl::StrCat("subject { device_id: 'd' } reason: '", long_reason, "'");
  const Case cases[] = {
      {"reason: 'x'", ErrorReason::kFieldMissing, "subject"},
      {"subject {} reason: 'x'", ErrorReason::kFieldMissing, "subject"},
      {"subject { device_id: '' } reason: 'x'", ErrorReason::kFieldMissing, "subject.device_id"},
      {"subject { device_id: 'a b' } reason: 'x'", ErrorReason::kFieldInvalid, "subject.device_id"},
      {long_device.c_str(), ErrorReason::kFieldInvalid, "subject.device_id"},
      {"subject { user_id: '' } reason: 'x'", ErrorReason::kFieldMissing, "subject.user_id"},
      {long_user.c_str(), ErrorReason::kFieldInvalid, "subject.user_id"},
      {"subject { user_upn: '' } reason: 'x'", ErrorReason::kFieldMissing, "subject.user_upn"},
      {"subject { user_upn: 'alice' } reason: 'x'", ErrorReason::kFieldInvalid, "subject.user_upn"},
      {"subject { user_upn: 'a@b@c' } reason: 'x'", ErrorReason::kFieldInvalid, "subject.user_upn"},
      {"subject { user_upn: 'a\\n@b' } reason: 'x'", ErrorReason::kFieldInvalid,
       "subject.user_upn"},
      {"subject { device_id: 'd' }", ErrorReason::kFieldMissing, "reason"},
      {"subject { device_id: 'd' } reason: ' '", ErrorReason::kFieldMissing, "reason"},
      {"subject { device_id: 'd' } reason: 'a\\nb'", ErrorReason::kFieldInvalid, "reason"},
      {too_long.c_str(), ErrorReason::kFieldInvalid, "reason"},
      {"subject { device_id: 'd' } reason: 'x' until { nanos: -1 }", ErrorReason::kFieldInvalid,
       "until"},
  };
  for (const Case& c : cases) {
    EXPECT_THAT(
        Put(MessageOf<v1::PutBlockRequest>(absl::StrCat("tenant_id: 'contoso' ", c.request))),
        FailsWith(c.reason, c.field))
        << c.request;
  }
  ASSERT_OK_AND_ASSIGN(const v1::ListBlocksResponse none, List());
  EXPECT_THAT(SubjectsOf(none), IsEmpty());
  EXPECT_THAT(Logged(), IsEmpty());
  EXPECT_THAT(Remove(""), FailsWith(ErrorReason::kFieldMissing, "subject"));
  EXPECT_THAT(Remove("user_upn: 'alice'"),
              FailsWith(ErrorReason::kFieldInvalid, "subject.user_upn"));
  EXPECT_THAT(Remove("device_id: 'd'", " reason: 'a\\nb'"),
              FailsWith(ErrorReason::kFieldInvalid, "reason"));
  EXPECT_THAT(List(1001), FailsWith(ErrorReason::kFieldInvalid, "page_size"));
  EXPECT_THAT(List(2, "forged"), FailsWith(ErrorReason::kFieldInvalid, "page_token"));
  EXPECT_OK(Put(Stolen()));
}

TEST_F(BlockServiceTest, AnEndLiesInTheFuture) {
  v1::PutBlockRequest request = Stolen();
  *request.mutable_until() = ToProto(clock_.now);
  EXPECT_THAT(Put(request), FailsWith(ErrorReason::kFieldInvalid, "until"));
  *request.mutable_until() = ToProto(clock_.now + microseconds(1));
  EXPECT_OK(Put(request));
}

// A stolen laptop does not wait for the clock; an end does.
TEST_F(BlockServiceTest, WhatHasAnEndIsNotPutByAClockThatLeapt) {
  clock_.believed = false;
  v1::PutBlockRequest request = Stolen();
  *request.mutable_until() = ToProto(clock_.now + hours(1));
  EXPECT_THAT(Put(request), FailsWith(ErrorReason::kClockUntrusted));
  request.clear_until();
  EXPECT_OK(Put(request));
  EXPECT_OK(List());
  EXPECT_OK(Remove("device_id: 'laptop-1'"));
}

TEST_F(BlockServiceTest, ALiftedBlockIsGivenBackAsItWas) {
  ASSERT_OK_AND_ASSIGN(const v1::Block put, Put(Stolen("user_upn: 'alice@contoso.example'")));
  static_cast<void>(Logged());
  clock_.now += hours(1);
  ASSERT_OK_AND_ASSIGN(const v1::Block removed,
                       Remove("user_upn: 'ALICE@contoso.example'", " reason: 'found again'"));
  EXPECT_THAT(removed, IsMessage(put));
  EXPECT_THAT(Logged(), ElementsAre(LoggedLine{{"event", "block_removed"},
                                               {"level", "info"},
                                               {"tenant", "contoso"},
                                               {"user", "alice@contoso.example"},
                                               {"caller", "cli"}}));
  EXPECT_THAT(Remove("user_upn: 'alice@contoso.example'"),
              FailsWith(ErrorReason::kBlockUnknown, "subject"));
  EXPECT_THAT(Logged(), IsEmpty());
  EXPECT_FALSE(FactsOf({"contoso", "", "alice@contoso.example", "d"}).user_block.has_value());
  ASSERT_OK_AND_ASSIGN(const auto actions, store_->ListAdministrativeActions("contoso", 10, ""));
  ASSERT_EQ(actions.records.size(), 2u);
  EXPECT_EQ(actions.records[0].action, "user_unblocked");
  EXPECT_EQ(actions.records[0].reason, "found again");
}

TEST_F(BlockServiceTest, BlocksAreOfTheirTenantOnly) {
  ASSERT_OK(store_->CreateTenant(SampleTenant("fabrikam")));
  ASSERT_OK(Put(Stolen()));
  EXPECT_THAT(Put(Stolen("device_id: 'd'", "unknown")),
              FailsWith(ErrorReason::kTenantUnknown, "tenant_id"));
  EXPECT_THAT(Remove("device_id: 'laptop-1'", "", "fabrikam"),
              FailsWith(ErrorReason::kBlockUnknown));
  EXPECT_THAT(Remove("device_id: 'laptop-1'", "", "unknown"),
              FailsWith(ErrorReason::kTenantUnknown, "tenant_id"));
  ASSERT_OK_AND_ASSIGN(const v1::ListBlocksResponse none, List(0, "", "fabrikam"));
  EXPECT_THAT(SubjectsOf(none), IsEmpty());
  EXPECT_THAT(List(0, "", "unknown"), FailsWith(ErrorReason::kTenantUnknown, "tenant_id"));
  EXPECT_FALSE(FactsOf({"fabrikam", "", "", "laptop-1"}).device_block.has_value());
}

TEST_F(BlockServiceTest, ListsPageByPage) {
  for (const char* id : {"c", "a", "b"}) {
    ASSERT_OK(Put(Stolen(absl::StrCat("device_id: '", id, "'"))));
  }
  ASSERT_OK_AND_ASSIGN(const v1::ListBlocksResponse first, List(2));
  EXPECT_THAT(SubjectsOf(first), ElementsAre("device_id: \"a\"", "device_id: \"b\""));
  ASSERT_OK_AND_ASSIGN(const v1::ListBlocksResponse last, List(2, first.next_page_token()));
  EXPECT_THAT(SubjectsOf(last), ElementsAre("device_id: \"c\""));
  EXPECT_EQ(last.next_page_token(), "");
}

TEST_F(BlockServiceTest, ATenantHasTenThousandAtMost) {
  const ChangeCause cause{clock_.now, "cli", "x"};
  for (std::size_t i = 1; i < BlockService::kMostBlocks; ++i) {
    ASSERT_OK(store_->Block(SampleBlock(BlockRecord::Kind::kDevice, absl::StrCat("d-", 10'000 + i)),
                            cause));
  }
  EXPECT_OK(Put(Stolen("user_upn: 'alice@contoso.example'")));
  EXPECT_THAT(Put(Stolen()), FailsWith(ErrorReason::kQuotaExceeded, "tenant_id"));
  // One that is there may be put again.
  EXPECT_OK(Put(Stolen("user_upn: 'ALICE@contoso.example'")));
  EXPECT_OK(Put(Stolen("device_id: 'd-10001'")));
  ASSERT_OK(Remove("device_id: 'd-10001'"));
  EXPECT_OK(Put(Stolen()));
}

}  // namespace
}  // namespace hourglass::issuance
