#include "issuance/identity/revocation_lists.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "issuance/identity/caller.h"
#include "tests/support/manual_clock.h"
#include "tests/support/mutual_tls.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

using testing::HasSubstr;

class RevocationListsTest : public testing::Test {
 protected:
  RevocationListsTest() : trusted_(ReadFileOrDie(tls_.trusted_roots_file())) {
    // What is made from now on is made before the clock's time.
    clock_.Advance(std::chrono::minutes(10));
  }

  std::string Client() { return ReadFileOrDie(tls_.Client("DNS:broker.example").certificate_file); }

  static CertificateSerial SerialOf(const std::string& pem) {
    return ReadCallerCertificate(pem).value().serial;
  }

  absl::StatusOr<std::unique_ptr<RevocationLists>> Read(const std::string& file) {
    return RevocationLists::Read({file}, trusted_);
  }

  MutualTls tls_;
  std::string trusted_;
  ManualClock clock_;
  TemporaryDirectory directory_;
  EventLog log_ = EventLog::Silent();
};

TEST_F(RevocationListsTest, ShutOutWhatTheyName) {
  const std::string stolen = Client();
  const std::string sound = Client();
  const std::string pem = directory_.Write("pem", tls_.RevocationList({stolen}));
  const std::string der = directory_.Write("der", tls_.RevocationList({stolen}, true));
  for (const std::string& file : {pem, der}) {
    ASSERT_OK_AND_ASSIGN(const auto lists, Read(file));
    EXPECT_THAT(lists->Check(SerialOf(stolen), clock_.Now()),
                FailsWith(ErrorReason::kCallerRefused));
    EXPECT_OK(lists->Check(SerialOf(sound), clock_.Now()));
    // Another issuer's certificate of any number is none of its affair.
    MutualTls other;
    EXPECT_OK(
        lists->Check(SerialOf(ReadFileOrDie(other.Client("DNS:broker.example").certificate_file)),
                     clock_.Now()));
  }
}

TEST_F(RevocationListsTest, LetNobodyInOnceTheyHaveRunOut) {
  const std::string sound = Client();
  ASSERT_OK_AND_ASSIGN(const auto lists, Read(directory_.Write("list", tls_.RevocationList({}))));
  EXPECT_OK(lists->Check(SerialOf(sound), clock_.Now()));
  clock_.Advance(std::chrono::hours(24 * 6));
  EXPECT_OK(lists->Check(SerialOf(sound), clock_.Now()));
  clock_.Advance(std::chrono::hours(24 * 2));
  const absl::Status refused = lists->Check(SerialOf(sound), clock_.Now());
  EXPECT_THAT(refused, FailsWith(ErrorReason::kCallerRefused));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("is valid from"));
}

TEST_F(RevocationListsTest, RefuseWhatNoTrustedCertificateSigned) {
  MutualTls other;
  const std::string file = directory_.Write("list", other.RevocationList({}));
  const auto read = Read(file);
  EXPECT_THAT(read, FailsWith(ErrorReason::kConfigurationInvalid, "tls.revocation_lists[0]"));
  EXPECT_THAT(std::string(read.status().message()),
              HasSubstr("no certificate of tls.trusted_roots"));
  EXPECT_OK(RevocationLists::Read({file}, ReadFileOrDie(other.trusted_roots_file())));
}

TEST_F(RevocationListsTest, RefuseWhatIsNoList) {
  const std::string list = tls_.RevocationList({});
  ASSERT_OK(Read(directory_.Write("list", list)));
  for (const std::string& bad :
       {std::string(), std::string("garbage"), trusted_, list.substr(0, list.size() / 2) + list,
        tls_.RevocationList({}, true) + "x"}) {
    EXPECT_THAT(Read(directory_.Write("bad", bad)),
                FailsWith(ErrorReason::kConfigurationInvalid, "tls.revocation_lists[0]"));
  }
  EXPECT_THAT(Read(directory_.File("none")),
              FailsWith(ErrorReason::kConfigurationInvalid, "tls.revocation_lists[0]"));
}

// What a directory of callers says is what the service says, at each call.
TEST_F(RevocationListsTest, AreReadAnewWhenTheyChange) {
  const std::string client = Client();
  const std::string file = directory_.Write("list", tls_.RevocationList({}));
  ASSERT_OK_AND_ASSIGN(const auto lists, Read(file));
  Caller caller;
  caller.name = "broker";
  caller.identity = "dns:broker.example";
  ASSERT_OK_AND_ASSIGN(const CallerDirectory directory,
                       CallerDirectory::Create({caller}, &clock_, lists.get()));
  ASSERT_OK(directory.Identify(client));
  const auto replace_with = [&](const std::string& content) {
    std::filesystem::rename(directory_.Write("new", content), file);
    lists->Refresh(clock_.Now(), log_);
  };
  const std::string revoking = tls_.RevocationList({client});
  // What cannot be used changes nothing.
  replace_with("garbage");
  ASSERT_OK(directory.Identify(client));
  replace_with(revoking);
  EXPECT_THAT(directory.Identify(client), FailsWith(ErrorReason::kCallerRefused));
  replace_with(MutualTls().RevocationList({}));
  EXPECT_THAT(directory.Identify(client), FailsWith(ErrorReason::kCallerRefused));
  std::filesystem::remove(file);
  lists->Refresh(clock_.Now(), log_);
  EXPECT_THAT(directory.Identify(client), FailsWith(ErrorReason::kCallerRefused));
  replace_with(tls_.RevocationList({}));
  EXPECT_OK(directory.Identify(client));
}

}  // namespace
}  // namespace hourglass::issuance
