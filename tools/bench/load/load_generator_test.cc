#include "tools/bench/load/load_generator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <thread>

#include "hourglass/v1/issuance.pb.h"
#include "tests/support/service_in_process.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"
#include "tools/bench/load/certificate_check.h"

namespace hourglass::bench {
namespace {

using std::chrono::milliseconds;

// A service with two tenants and a pool of requests that it allows.
class LoadGeneratorTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* tenant_id : {"contoso", "fabrikam"}) {
      service_.CreateTenant(tenant_id);
      roots_[tenant_id] = service_.CreateRoot(tenant_id).certificate();
      for (int i = 0; i < 2; ++i) service_.ReportDevice(tenant_id, DeviceIdOf(i), true);
    }
    ASSERT_OK_AND_ASSIGN(pool_, PreparedRequests::Make({.tenant_ids = {"contoso", "fabrikam"},
                                                        .devices_per_tenant = 2,
                                                        .keys = 3,
                                                        .requests = 12}));
  }

  LoadTarget Target(absl::string_view caller = kWideBroker) { return TargetOf(service_, caller); }

  static LoadTarget TargetOf(ServiceClient& service, absl::string_view caller = kWideBroker) {
    const TlsCredential& credential = service.CredentialOf(caller);
    return {service.address(), ReadFileOrDie(service.tls().trusted_roots_file()),
            ReadFileOrDie(credential.certificate_file), ReadFileOrDie(credential.private_key_file)};
  }

  LoadResult ResultOf(const LoadOptions& options, milliseconds duration,
                      absl::string_view caller = kWideBroker) {
    auto load = StartLoad(Target(caller), pool_, options);
    EXPECT_OK(load);
    return load.ok() ? (*load)->Measure(duration) : LoadResult();
  }

  ServiceInProcess service_;
  PrimaryRoots roots_;
  PreparedRequests pool_;
};

TEST_F(LoadGeneratorTest, AClosedLoopCountsWhatTheJournalHolds) {
  LoadResult result;
  std::uint64_t all = 0;
  {
    ASSERT_OK_AND_ASSIGN(const auto load,
                         StartLoad(Target(), pool_, {.arrivals = ClosedLoop{.outstanding = 5}}));
    // A busy machine may take longer for the first.
    do {
      result = load->Measure(milliseconds(500));
    } while (result.certificates == 0 && result.errors.empty());
  }
  for (const char* tenant_id : {"contoso", "fabrikam"}) {
    all += static_cast<std::uint64_t>(service_.JournalSize(tenant_id));
  }
  EXPECT_THAT(result.errors, testing::IsEmpty()) << result.ErrorText();
  EXPECT_GT(result.certificates, 0u);
  EXPECT_EQ(result.certificates, result.latencies.count());
  EXPECT_GE(all, result.certificates);
  EXPECT_GE(result.seconds, 0.5);
  EXPECT_OK(CheckSamples(result, pool_, roots_));
}

TEST_F(LoadGeneratorTest, AnOpenLoopSendsAsManyAsWereDue) {
  const LoadResult result =
      ResultOf({.arrivals = OpenLoop{.per_second = 100, .poisson = false}}, milliseconds(1000));
  EXPECT_THAT(result.errors, testing::IsEmpty()) << result.ErrorText();
  const double due = 100 * result.seconds;
  EXPECT_GE(static_cast<double>(result.certificates), due - 2);
  EXPECT_LE(static_cast<double>(result.certificates), due + 2);
  EXPECT_EQ(result.delays.count(), result.certificates);
  EXPECT_OK(CheckSamples(result, pool_, roots_));
}

TEST_F(LoadGeneratorTest, SeveralServicesAreAskedInTurn) {
  ServiceInProcess other;
  other.CreateTenant("contoso");
  other.CreateRoot("contoso");
  for (int i = 0; i < 2; ++i) other.ReportDevice("contoso", DeviceIdOf(i), true);
  ASSERT_OK_AND_ASSIGN(
      pool_, PreparedRequests::Make(
                 {.tenant_ids = {"contoso"}, .devices_per_tenant = 2, .keys = 3, .requests = 12}));
  for (const LoadTransport transport : {LoadTransport::kUnary, LoadTransport::kConnectionEach}) {
    const int before = service_.JournalSize("contoso"), other_before = other.JournalSize("contoso");
    ASSERT_OK_AND_ASSIGN(auto load, StartLoad({Target(), TargetOf(other)}, pool_,
                                              {.transport = transport,
                                               .arrivals = ClosedLoop{.outstanding = 1},
                                               .connections = 1}));
    load->Begin();
    while (load->Certificates() < 20) std::this_thread::yield();
    load.reset();
    const int here = service_.JournalSize("contoso") - before,
              there = other.JournalSize("contoso") - other_before;
    EXPECT_GE(here, 10);
    EXPECT_LE(std::abs(here - there), 1) << here << " and " << there;
  }
}

TEST_F(LoadGeneratorTest, APoolThatIsSentOnceIsUsedUp) {
  const LoadOptions once = {.arrivals = ClosedLoop{.outstanding = 2}, .each_once = true};
  {
    ASSERT_OK_AND_ASSIGN(const auto load, StartLoad(Target(), pool_, once));
    // Each of the two that are under way at any time finds no more at some time.
    LoadResult result;
    while (result.errors[kPoolUsedUp] < 2) result = load->Measure(milliseconds(20));
    EXPECT_EQ(result.ErrorText(), "POOL_USED_UP 2");
  }
  EXPECT_EQ(service_.JournalSize("contoso") + service_.JournalSize("fabrikam"), 12);
  LoadOptions streams = once;
  streams.transport = LoadTransport::kStream;
  EXPECT_TRUE(absl::IsInvalidArgument(StartLoad(Target(), pool_, streams).status()));
  LoadOptions again = once;
  again.asks_again = true;
  EXPECT_TRUE(absl::IsInvalidArgument(StartLoad(Target(), pool_, again).status()));
}

TEST_F(LoadGeneratorTest, AConnectionEachIsAskedToo) {
  const LoadResult result = ResultOf(
      {.transport = LoadTransport::kConnectionEach, .arrivals = ClosedLoop{.outstanding = 2}},
      milliseconds(500));
  EXPECT_THAT(result.errors, testing::IsEmpty()) << result.ErrorText();
  EXPECT_GT(result.certificates, 0u);
  EXPECT_OK(CheckSamples(result, pool_, roots_));
}

TEST_F(LoadGeneratorTest, AStreamIsAskedOrSaysThatThereIsNone) {
  const LoadResult result =
      ResultOf({.transport = LoadTransport::kStream, .arrivals = ClosedLoop{.outstanding = 9}},
               milliseconds(500));
  if (result.errors == std::map<std::string, std::uint64_t>{{"UNIMPLEMENTED", 2}}) {
    GTEST_SKIP() << "the service has no streams";
  }
  EXPECT_THAT(result.errors, testing::IsEmpty()) << result.ErrorText();
  EXPECT_GT(result.certificates, 0u);
  EXPECT_OK(CheckSamples(result, pool_, roots_));
}

TEST_F(LoadGeneratorTest, RefusalsAreCountedByReason) {
  // Both tenants' requests by a broker of one of them only.
  const LoadResult result =
      ResultOf({.arrivals = OpenLoop{.per_second = 100}}, milliseconds(500), kBroker);
  EXPECT_GT(result.certificates, 0u);
  ASSERT_THAT(result.errors, testing::SizeIs(1));
  EXPECT_EQ(result.errors.begin()->first, "TENANT_NOT_PERMITTED");
  EXPECT_EQ(result.latencies.count(), result.certificates);
}

TEST_F(LoadGeneratorTest, AWrongAnswerIsFound) {
  LoadResult result = ResultOf({.arrivals = ClosedLoop{.outstanding = 1}}, milliseconds(500));
  ASSERT_FALSE(result.samples.empty());
  const SampledAnswer sample = result.samples.front();
  const PreparedRequest& request = pool_[sample.request];
  const std::string& root = roots_.at(request.tenant_id);
  EXPECT_OK(CheckAnswer(sample.response, request, root));

  const auto reason = [&](const PreparedRequest& asked, const std::string& trusted) {
    return std::string(CheckAnswer(sample.response, asked, trusted).message());
  };
  PreparedRequest other = request;
  other.public_key = pool_[sample.request + 1].public_key;
  EXPECT_THAT(reason(other, root), testing::HasSubstr("its key is not the request's"));
  other = request;
  other.user_upn = "somebody@else.example";
  EXPECT_THAT(reason(other, root), testing::HasSubstr("its common name"));
  EXPECT_THAT(reason(request, roots_.at(request.tenant_id == "contoso" ? "fabrikam" : "contoso")),
              testing::HasSubstr("does not end in the tenant's primary root"));

  v1::IssueCertificateResponse response;
  ASSERT_TRUE(response.ParseFromString(sample.response));
  response.mutable_certificate()->back() ^= 1;
  EXPECT_THAT(CheckAnswer(response.SerializeAsString(), request, root).message(),
              testing::HasSubstr("signature"));

  result.samples.push_back(sample);
  EXPECT_THAT(CheckSamples(result, pool_, roots_).message(),
              testing::HasSubstr("two have one serial number"));
  result.samples.clear();
  EXPECT_THAT(CheckSamples(result, pool_, roots_).message(), testing::HasSubstr("none was kept"));
}

// A promotion in the middle: which root each answer may end in.
TEST_F(LoadGeneratorTest, AnswersBesideAPromotionAreOfTheRootOfTheirTime) {
  const v1::Root staged = service_.CreateRoot("contoso", /*make_primary=*/false);
  ASSERT_OK_AND_ASSIGN(
      pool_, PreparedRequests::Make(
                 {.tenant_ids = {"contoso"}, .devices_per_tenant = 2, .keys = 3, .requests = 12}));
  ASSERT_OK_AND_ASSIGN(const auto load,
                       StartLoad(Target(), pool_,
                                 {.arrivals = OpenLoop{.per_second = 100, .poisson = false},
                                  .asks_again = true,
                                  .keeps_times = true}));
  load->Begin();
  while (load->Certificates() == 0) std::this_thread::yield();
  const auto stub = service_.As<v1::RootService>(kAdministrator);
  v1::Root root;
  grpc::ClientContext context;
  ASSERT_TRUE(stub->PromoteRoot(&context, ServiceClient::PromotionOf(staged), &root).ok());
  const LoadClock::time_point done = LoadClock::now();
  // Enough for a sample that was sent after it.
  const std::uint64_t until_then = load->Certificates();
  while (load->Certificates() < until_then + 150) std::this_thread::yield();
  const LoadResult result = load->End();

  EXPECT_THAT(result.errors, testing::IsEmpty()) << result.ErrorText();
  EXPECT_EQ(result.times.size(), result.certificates);
  const PrimaryRoots before = roots_;
  PrimaryRoots after = roots_;
  after["contoso"] = staged.certificate();
  ASSERT_GT(result.samples.back().sent, done);
  EXPECT_OK(CheckSamples(result, pool_, PromotedRoots{before, after, done}));
  const auto wrong = [&](const PromotedRoots& roots) {
    return std::string(CheckSamples(result, pool_, roots).message());
  };
  const auto another_root = testing::HasSubstr("does not end in the tenant's primary root");
  EXPECT_THAT(wrong({before, after, LoadClock::time_point::min()}), another_root)
      << "the first was sent before the promotion";
  EXPECT_THAT(wrong({before, before, done}), another_root) << "the last was sent after it";
  EXPECT_THAT(wrong({{}, {}, done}), testing::HasSubstr("no root of contoso"));
}

TEST_F(LoadGeneratorTest, AnOpenLoopOfConnectionsIsRefused) {
  EXPECT_EQ(StartLoad(Target(), pool_,
                      {.transport = LoadTransport::kConnectionEach, .arrivals = OpenLoop{}})
                .status()
                .code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace hourglass::bench
