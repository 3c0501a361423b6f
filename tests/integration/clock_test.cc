// A clock that leaps decides nothing (promise 10): the whole service, its clock set by libfaketime.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hourglass/v1/clock.grpc.pb.h"
#include "tests/support/daemon.h"
#include "tests/support/fake_clock.h"
#include "tests/support/grpc_matchers.h"
#include "tests/support/subprocess.h"

namespace hourglass {
namespace {

class ClockTest : public testing::Test {
 protected:
  ClockTest() {
    daemon_.Configure(absl::StrCat("{tokens: [\"", daemon_.token().Uri(), "\"]}"),
                      daemon_.data_directory(), "journal: {retention: 90d}\n");
  }

  bool Start() { return daemon_.Start(clock_.Prefix()); }

  v1::Clock GetClock() {
    v1::Clock clock;
    grpc::ClientContext context;
    EXPECT_THAT(daemon_.As<v1::ClockService>(kAdministrator)->GetClock(&context, {}, &clock),
                Succeeded());
    return clock;
  }

  grpc::Status Accept(absl::string_view caller, int seconds_from_now) {
    v1::AcceptClockRequest request;
    request.mutable_time()->set_seconds(time(nullptr) + seconds_from_now);
    v1::Clock clock;
    grpc::ClientContext context;
    return daemon_.As<v1::ClockService>(caller)->AcceptClock(&context, request, &clock);
  }

  grpc::Status Retire(const std::string& root_id) {
    v1::MoveRootRequest request;
    request.set_tenant_id("contoso");
    request.set_root_id(root_id);
    v1::Root root;
    grpc::ClientContext context;
    return daemon_.As<v1::RootService>(kAdministrator)->RetireRoot(&context, request, &root);
  }

  Daemon daemon_;
  FakeClock clock_;
};

TEST_F(ClockTest, AStartNinetyOneDaysAheadDropsNothingAndMakesNoSecondCertificate) {
  ASSERT_TRUE(Start()) << daemon_.Log();
  daemon_.MakeReady();
  const v1::IssueCertificateRequest request = daemon_.Request();
  v1::IssueCertificateResponse first;
  ASSERT_THAT(daemon_.Issue(request, &first), Succeeded());
  for (int i = 0; i < 5; ++i) ASSERT_THAT(daemon_.Issue(daemon_.Request()), Succeeded());
  ASSERT_EQ(daemon_.JournalSize(), 6);
  ASSERT_EQ(daemon_.Stop(), 0);

  // Nobody can call it: by this clock no client's certificate is valid any more.
  clock_.Set("+91d");
  ASSERT_TRUE(Start()) << daemon_.Log();
  EXPECT_TRUE(daemon_.WaitForLog("\"event\":\"clock_leapt\"")) << daemon_.Log();
  ASSERT_EQ(daemon_.Stop(), 0);

  clock_.Set("+0");
  ASSERT_TRUE(Start()) << daemon_.Log();
  EXPECT_EQ(GetClock().doubt(), v1::Clock::NONE);
  EXPECT_EQ(daemon_.JournalSize(), 6);
  v1::IssueCertificateResponse again;
  ASSERT_THAT(daemon_.Issue(request, &again), Succeeded());
  EXPECT_EQ(again.certificate(), first.certificate());
  EXPECT_EQ(daemon_.JournalSize(), 6);
}

TEST_F(ClockTest, ALeapWhileItRunsStopsWhatDecidesUntilItIsTakenBackOrAccepted) {
  ASSERT_TRUE(Start()) << daemon_.Log();
  daemon_.MakeReady();
  ASSERT_THAT(daemon_.Issue(daemon_.Request()), Succeeded());
  daemon_.CreateRoot("contoso", true);
  EXPECT_THAT(Retire("r1"), RefusedWith(v1::ROOT_MOVE_ILLEGAL));

  clock_.Set("+2h");
  EXPECT_THAT(daemon_.Issue(daemon_.Request()), RefusedWith(v1::CLOCK_UNTRUSTED));
  // By this clock the last leaf of the root has expired.
  EXPECT_THAT(Retire("r1"), RefusedWith(v1::CLOCK_UNTRUSTED));
  EXPECT_EQ(GetClock().doubt(), v1::Clock::LEAPT);
  EXPECT_NEAR(static_cast<double>(GetClock().distance().seconds()), 7200, 60);

  clock_.Set("+0");
  EXPECT_THAT(daemon_.Issue(daemon_.Request()), Succeeded());
  EXPECT_THAT(Retire("r1"), RefusedWith(v1::ROOT_MOVE_ILLEGAL));

  clock_.Set("+2h");
  EXPECT_THAT(daemon_.Issue(daemon_.Request()), RefusedWith(v1::CLOCK_UNTRUSTED));
  EXPECT_THAT(Accept(kBroker, 7200), RefusedWith(v1::ROLE_NOT_PERMITTED));
  EXPECT_THAT(Accept(kAuditor, 7200), RefusedWith(v1::ROLE_NOT_PERMITTED));
  EXPECT_THAT(Accept(kAdministrator, 0), RefusedWith(v1::FIELD_INVALID, "time"));
  EXPECT_THAT(daemon_.Issue(daemon_.Request()), RefusedWith(v1::CLOCK_UNTRUSTED));
  EXPECT_THAT(Accept(kAdministrator, 7200), Succeeded());
  EXPECT_EQ(GetClock().doubt(), v1::Clock::NONE);
  EXPECT_THAT(daemon_.Issue(daemon_.Request()), Succeeded());
  EXPECT_THAT(Retire("r1"), Succeeded());
  EXPECT_TRUE(daemon_.WaitForLog("\"event\":\"clock_accepted\"")) << daemon_.Log();
  const std::string log = daemon_.Log();
  const std::string accepted = log.substr(log.rfind("\"event\":\"clock_accepted\""));
  EXPECT_THAT(accepted.substr(0, accepted.find('\n')),
              testing::HasSubstr("\"caller\":\"administrator\""));
}

TEST_F(ClockTest, TheProgramShowsAndAcceptsIt) {
  ASSERT_TRUE(Start()) << daemon_.Log();
  daemon_.MakeReady();
  const std::string config =
      daemon_.directory().Write("cli.yaml", daemon_.ConfigOf(kAdministrator));
  const auto run = [&](const std::string& verb, std::vector<std::string> command = {}) {
    command.insert(command.end(), {"tools/hourglass/hourglass", "--config", config, "clock", verb});
    return RunCommand(command);
  };
  EXPECT_THAT(run("show").output, testing::HasSubstr("Believed          yes\n"));
  clock_.Set("+2h");
  EXPECT_THAT(run("show").output,
              testing::ContainsRegex("no: it leapt (2 h|1 h 59 min) forward\n"));
  const CommandResult refused = run("accept");
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.output, testing::HasSubstr("set right the one that is wrong"));
  EXPECT_THAT(daemon_.Issue(daemon_.Request()), RefusedWith(v1::CLOCK_UNTRUSTED));
  const CommandResult accepted = run("accept", clock_.Prefix());
  EXPECT_EQ(accepted.exit_code, 0) << accepted.output;
  EXPECT_THAT(accepted.output, testing::HasSubstr("Believed          yes\n"));
  EXPECT_THAT(daemon_.Issue(daemon_.Request()), Succeeded());
}

}  // namespace
}  // namespace hourglass
