#include "tools/bench/load/prepared_requests.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "absl/strings/str_cat.h"
#include "hourglass/v1/issuance.pb.h"
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
  EXPECT_THAT(places, testing::ElementsAre("adevice-0", "adevice-1", "bdevice-0", "bdevice-1"));
}

TEST(PreparedRequestsTest, EveryTenantHasARequest) {
  ASSERT_OK_AND_ASSIGN(
      const PreparedRequests pool,
      PreparedRequests::Make({.tenant_ids = {"a", "b", "c"}, .keys = 1, .requests = 1}));
  ASSERT_EQ(pool.size(), 3u);
  EXPECT_EQ(pool[2].tenant_id, "c");
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
