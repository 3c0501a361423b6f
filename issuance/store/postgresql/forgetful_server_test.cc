// A database that has forgotten what it said is durable.
#include <gmock/gmock.h>

#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "ca/testing/test_ca.h"
#include "hsm/base/error.h"
#include "issuance/store/postgresql/engine/connection.h"
#include "issuance/store/postgresql/postgresql_store.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/support/postgresql_cluster.h"
#include "tests/support/status_matchers.h"
#include "tests/support/subprocess.h"

namespace hourglass::issuance {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ForgetfulServerTest : public testing::Test {
 protected:
  ForgetfulServerTest() {
    const auto superuser = postgresql::Connection::Open(cluster_->SuperuserOf("postgres")).value();
    postgresql::Rows rows = superuser->Query("SELECT current_setting('data_directory')").value();
    EXPECT_TRUE(rows.Next());
    folder_ = rows.TakeOctets();
    store_ = Open();
    EXPECT_OK(AddSamplePrimary(*store_));
  }

  std::unique_ptr<Store> Open() {
    PostgresqlStoreOptions options;
    options.connection = cluster_->ServiceOf(cluster_database_);
    options.demands.synchronous_standby = false;
    options.timeline_observer = [this](const std::string& message) {
      timelines_.push_back(message);
    };
    auto store = OpenPostgresqlStore(options);
    EXPECT_OK(store);
    return *std::move(store);
  }

  // Of what is there now, of a server that stands.
  void Copy() {
    ASSERT_OK(cluster_->Crash());
    Command({"cp", "-a", folder_, folder_ + ".older"});
    ASSERT_OK(cluster_->Run());
  }
  void Restore() {
    ASSERT_OK(cluster_->Crash());
    Command({"rm", "-rf", folder_});
    Command({"mv", folder_ + ".older", folder_});
  }
  // As a standby that is promoted, or a base backup that is restored: the next start is on a
  // timeline of its own.
  void RecoverFromArchive() {
    const std::string signal = folder_ + "/recovery.signal";
    std::ofstream(signal).close();
    Command({"chown", "--reference", folder_, signal});
    std::ofstream(folder_ + "/postgresql.auto.conf", std::ios::app)
        << "restore_command = 'false'\n";
  }
  static void Command(const std::vector<std::string>& command) {
    const CommandResult result = RunCommand(command);
    ASSERT_EQ(result.exit_code, 0) << result.output;
  }

  // Issues and records a certificate of now. Returns its serial number in hexadecimal digits.
  std::string Issue(Store& store, const std::string& request_id) {
    const ca::TestCertificate issued = ca_.Issue("alice@contoso.example");
    Intent intent = SampleIntent(request_id);
    intent.serial_number = issued.serial_number;
    intent.intended_at = SystemClock().Now();
    Release release = ReleaseOf(intent);
    release.certificate = issued.certificate_der;
    release.released_at = intent.intended_at;
    EXPECT_OK(Append(store, intent));
    EXPECT_OK(Append(store, release));
    return absl::AsciiStrToUpper(absl::BytesToHexString(issued.serial_number));
  }

  // Everything is refused, for this reason.
  void ExpectRefusal(Store& store, const std::string& serial_number) {
    const auto refused = FailsWith(ErrorReason::kJournalUnavailable);
    const absl::Status status = store.GetTenant(kSampleTenant).status();
    EXPECT_THAT(status, refused);
    EXPECT_THAT(std::string(status.message()), HasSubstr(serial_number));
    EXPECT_THAT(Append(store, SampleIntent("afterwards")), refused);
    EXPECT_THAT(store.PutDevice(SampleDevice("laptop-1")), refused);
    EXPECT_THAT(store.AddRoot(SampleRoot(9)), refused);
    EXPECT_THAT(store.FindByRequestId(kSampleTenant, "kept"), refused);
    EXPECT_THAT(store.DropJournalBefore(SampleTime()), refused);
  }

  const std::unique_ptr<PostgresqlCluster> cluster_ = PostgresqlCluster::Start().value();
  const std::string cluster_database_ = cluster_->CreatePreparedDatabase().value();
  std::string folder_;
  std::vector<std::string> timelines_;
  ca::TestCa ca_;
  std::unique_ptr<Store> store_;
};

TEST_F(ForgetfulServerTest, ACrashThatLosesNothingIsForgiven) {
  Issue(*store_, "kept");
  ASSERT_OK(cluster_->Crash());
  ASSERT_OK(cluster_->Run());
  EXPECT_OK(store_->FindByRequestId(kSampleTenant, "kept"));
  Issue(*store_, "afterwards");
  EXPECT_THAT(timelines_, IsEmpty());
}

TEST_F(ForgetfulServerTest, ANewTimelineThatLosesNothingIsToldOf) {
  Issue(*store_, "kept");
  ASSERT_OK(cluster_->Crash());
  RecoverFromArchive();
  ASSERT_OK(cluster_->Run());
  EXPECT_OK(store_->FindByRequestId(kSampleTenant, "kept"));
  Issue(*store_, "afterwards");
  EXPECT_THAT(timelines_, ElementsAre(HasSubstr("timeline 2")));
}

TEST_F(ForgetfulServerTest, ARestoredServerOnANewTimelineIsRefusedForGood) {
  Issue(*store_, "kept");
  ASSERT_NO_FATAL_FAILURE(Copy());
  const std::string serial_number = Issue(*store_, "forgotten");
  ASSERT_NO_FATAL_FAILURE(Restore());
  RecoverFromArchive();
  ASSERT_OK(cluster_->Run());
  ExpectRefusal(*store_, serial_number);
  EXPECT_THAT(timelines_, IsEmpty());
  // Whoever starts now knows of nothing that lacks, and an administrator has decided to.
  const std::unique_ptr<Store> later = Open();
  EXPECT_OK(later->FindByRequestId(kSampleTenant, "kept"));
  Issue(*later, "afterwards");
  ExpectRefusal(*store_, serial_number);
}

TEST_F(ForgetfulServerTest, AnOlderCopyIsRefusedThoughItsTimelineIsTheSame) {
  ASSERT_NO_FATAL_FAILURE(Copy());
  const std::string serial_number = Issue(*store_, "forgotten");
  ASSERT_NO_FATAL_FAILURE(Restore());
  ASSERT_OK(cluster_->Run());
  ExpectRefusal(*store_, serial_number);
}

TEST_F(ForgetfulServerTest, AForgottenIntermediateIsMissed) {
  ASSERT_NO_FATAL_FAILURE(Copy());
  const IntermediateRecord intermediate = SampleIntermediate(1);
  ASSERT_OK(store_->AddIntermediate(intermediate));
  ASSERT_OK(store_->ReleaseIntermediate(intermediate.tenant_id, intermediate.root_id,
                                        intermediate.serial_number, "signed", SampleTime()));
  ASSERT_NO_FATAL_FAILURE(Restore());
  ASSERT_OK(cluster_->Run());
  ExpectRefusal(*store_, absl::AsciiStrToUpper(absl::BytesToHexString(intermediate.serial_number)));
}

TEST_F(ForgetfulServerTest, AForgottenPromotionIsMissed) {
  ASSERT_NO_FATAL_FAILURE(Copy());
  ASSERT_OK(SwitchToSecondRoot(*store_));
  ASSERT_NO_FATAL_FAILURE(Restore());
  ASSERT_OK(cluster_->Run());
  ExpectRefusal(*store_, "revision 4 of tenant contoso");
}

}  // namespace
}  // namespace hourglass::issuance
