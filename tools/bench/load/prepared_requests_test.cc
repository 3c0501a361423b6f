#include "tools/bench/load/prepared_requests.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "absl/strings/str_cat.h"
#include "hourglass/v1/issuance.pb.h"
#include "issuance/base/clock.h"
#include "issuance/tokens/access_token.h"
#include "issuance/tokens/key_set.h"
#include "issuance/tokens/testing/token_issuer.h"
#include "tests/support/status_matchers.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::bench {
namespace {

v1::IssueCertificateRequest Parsed(const grpc::ByteBuffer& buffer) {
  grpc::Slice whole;
  EXPECT_TRUE(buffer.DumpToSingleSlice(&whole).ok());
  v1::IssueCertificateRequest request;
  EXPECT_TRUE(request.ParseFromArray(whole.begin(), static_cast<int>(whole.size())));
  return request;
}

TEST(PreparedRequestsTest, RequestsAreWholeAndOpensslAcceptsThem) {
  const TemporaryDirectory directory;
  ASSERT_OK_AND_ASSIGN(
      const PreparedRequests pool,
      PreparedRequests::Make(
          {.tenant_ids = {"a", "b"}, .devices_per_tenant = 2, .keys = 3, .requests = 5}));
  ASSERT_EQ(pool.size(), 5u);
  std::set<std::string> places;
  for (std::size_t i = 0; i < pool.size(); ++i) {
    const std::string id = absl::StrCat("request-", i);
    const v1::IssueCertificateRequest request = Parsed(Serialized(pool[i], id));
    EXPECT_EQ(request.request_id(), id);
    EXPECT_EQ(request.tenant_id(), pool[i].tenant_id);
    EXPECT_EQ(request.user().upn(), pool[i].user_upn);
    places.insert(request.tenant_id() + request.device_id());
    const std::string file = directory.Write("request.der", request.pkcs10());
    const CommandResult checked =
        RunCommand({"openssl", "req", "-inform", "DER", "-in", file, "-verify", "-noout"});
    EXPECT_EQ(checked.exit_code, 0) << checked.output;
    const CommandResult key = RunCommand({"sh", "-c",
                                          "openssl req -inform DER -in \"$0\" -noout -pubkey | "
                                          "openssl pkey -pubin -outform DER -out \"$0.key\"",
                                          file});
    ASSERT_EQ(key.exit_code, 0) << key.output;
    EXPECT_EQ(ReadFileOrDie(file + ".key"), pool[i].public_key);
  }
  EXPECT_THAT(places, testing::ElementsAre("a" + DeviceIdOf(0), "a" + DeviceIdOf(1),
                                           "b" + DeviceIdOf(0), "b" + DeviceIdOf(1)));
}

TEST(PreparedRequestsTest, EveryTenantHasARequest) {
  ASSERT_OK_AND_ASSIGN(
      const PreparedRequests pool,
      PreparedRequests::Make({.tenant_ids = {"a", "b", "c"}, .keys = 1, .requests = 1}));
  ASSERT_EQ(pool.size(), 3u);
  EXPECT_EQ(pool[2].tenant_id, "c");
}

TEST(PreparedRequestsTest, EachBringsATokenOfItsOwnForWhomItIs) {
  const RequestTokens tokens;
  ASSERT_OK_AND_ASSIGN(const auto keys, issuance::KeySet::Parse(tokens.KeySet()));
  ASSERT_OK_AND_ASSIGN(const PreparedRequests pool,
                       PreparedRequests::Make({.tenant_ids = {"a", "b"},
                                               .devices_per_tenant = 2,
                                               .keys = 1,
                                               .requests = 7,
                                               .tokens = &tokens}));
  ASSERT_EQ(pool.size(), 7u);
  std::set<std::string> ids;
  for (std::size_t i = 0; i < pool.size(); ++i) {
    const v1::IssueCertificateRequest request = Parsed(Serialized(pool[i], "id"));
    EXPECT_EQ(request.request_id(), "id");
    ASSERT_OK_AND_ASSIGN(
        const issuance::TokenIdentity identity,
        issuance::CheckAccessToken(request.access_token(), *keys, issuance::TokenIssuer::Rules(),
                                   "", issuance::SystemClock().Now()));
    EXPECT_EQ(identity.user_id, request.user().id());
    EXPECT_EQ(identity.upn, request.user().upn());
    EXPECT_EQ(identity.upn, pool[i].user_upn);
    EXPECT_EQ(identity.device_id, request.device_id());
    ids.insert(identity.token_id);
  }
  EXPECT_EQ(ids.size(), pool.size());
}

TEST(RequestIdsTest, HaveTheFormOfUuidsAndDiffer) {
  RequestIds ids(1), same(1), other(2);
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string id = ids.Next();
    EXPECT_THAT(id, testing::MatchesRegex(
                        "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
    EXPECT_EQ(id, same.Next());
    seen.insert(id);
    seen.insert(other.Next());
  }
  EXPECT_EQ(seen.size(), 2000u);
}

}  // namespace
}  // namespace hourglass::bench
