// docs/replicas.md, Upgrades: the schema of a program to come is made while replicas of this one
// issue. What a step of that schema may do to programs that it does not leave out is done here.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "hourglass/v1/issuance.grpc.pb.h"
#include "hourglass/v1/roots.grpc.pb.h"
#include "hsm/base/mutex.h"
#include "issuance/store/postgresql/engine/connection.h"
#include "issuance/store/postgresql/engine/schema.h"
#include "tests/integration/replicas_fixture.h"
#include "tests/support/daemon.h"
#include "tests/support/grpc_matchers.h"
#include "tests/support/postgresql_cluster.h"
#include "tests/support/status_matchers.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass {
namespace {

using issuance::postgresql::CheckSchema;
using issuance::postgresql::Connection;
using issuance::postgresql::Migration;
using issuance::postgresql::Migrations;
using issuance::postgresql::PrepareSchema;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr int kReplicas = 2;
const std::array<std::string, kReplicas> kNames = {"berlin-1", "berlin-2"};

// Every table has one column more, whoever writes to it, and there is one table more.
constexpr char kColumnsMore[] = R"sql(
CREATE TABLE later (id bigint NOT NULL PRIMARY KEY, note text);
DO $$
DECLARE
  name text;
BEGIN
  FOR name IN SELECT relname FROM pg_class WHERE relnamespace = 'hourglass'::regnamespace
      AND relkind IN ('r', 'p') AND NOT relispartition AND relname <> 'later'
      ORDER BY relname <> 'tenants', relname LOOP
    EXECUTE format('ALTER TABLE hourglass.%I ADD COLUMN later text', name);
  END LOOP;
END
$$;
)sql";

// Brokers that ask one replica after the other, as a load balancer would have it, and again where
// that is worth it.
class Stream {
 public:
  static constexpr int kBrokers = 3;

  explicit Stream(v1::IssueCertificateRequest request) : request_(std::move(request)) {}
  ~Stream() { Stop(); }

  // A replica is there from now on.
  void Point(int replica, const std::shared_ptr<grpc::Channel>& channel) {
    const MutexLock lock(mutex_);
    stubs_[static_cast<std::size_t>(replica)] = v1::CertificateIssuer::NewStub(channel);
  }
  void Start() {
    for (int broker = 0; broker < kBrokers; ++broker) {
      threads_.emplace_back([this, broker] { Run(broker); });
    }
  }
  void Stop() {
    is_ending_ = true;
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

  // Waits until each replica has issued so many more; the failures since the last call.
  std::vector<std::string> WaitForCertificates(int more) {
    MutexLock lock(mutex_);
    std::array<int, kReplicas> enough = issued_;
    for (int& count : enough) count += more;
    EXPECT_TRUE(changed_.wait_for(lock, std::chrono::minutes(2),
                                  [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
                                    return issued_[0] >= enough[0] && issued_[1] >= enough[1];
                                  }))
        << absl::StrJoin(failures_, "\n");
    return std::exchange(failures_, {});
  }
  // Of requests that are not worth another try.
  std::vector<std::string> Lost() {
    const MutexLock lock(mutex_);
    return lost_;
  }
  int issued() {
    const MutexLock lock(mutex_);
    return issued_[0] + issued_[1];
  }

 private:
  void Run(int broker) {
    v1::IssueCertificateRequest request = request_;
    int turn = broker;
    for (int number = 0; !is_ending_; ++number) {
      request.set_request_id(absl::StrCat("stream-", broker, "-", number));
      while (!Ask(turn++ % kReplicas, request)) {
        MutexLock lock(mutex_);
        changed_.wait_for(lock, std::chrono::milliseconds(50), [] { return false; });
      }
    }
  }

  // Whether it is done with.
  bool Ask(int replica, v1::IssueCertificateRequest& request) {
    std::shared_ptr<v1::CertificateIssuer::Stub> stub;
    {
      const MutexLock lock(mutex_);
      stub = stubs_[static_cast<std::size_t>(replica)];
    }
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
    v1::IssueCertificateResponse response;
    const grpc::Status status = stub->IssueCertificate(&context, request, &response);
    const std::string words =
        absl::StrCat(kNames[static_cast<std::size_t>(replica)], ": ", status.error_message());
    const MutexLock lock(mutex_);
    if (status.ok()) {
      ++issued_[static_cast<std::size_t>(replica)];
    } else if (status.error_code() == grpc::StatusCode::ABORTED) {
      // What the old primary signed is never released: a new request.
      request.set_request_id(request.request_id() + "-again");
    } else {
      failures_.push_back(words);
      if (!IsWorthAnotherTry(status)) lost_.push_back(words);
    }
    changed_.notify_all();
    return status.ok() || !IsWorthAnotherTry(status);
  }

  const v1::IssueCertificateRequest request_;
  std::atomic<bool> is_ending_ = false;
  Mutex mutex_;
  ConditionVariable changed_;
  std::array<std::shared_ptr<v1::CertificateIssuer::Stub>, kReplicas> stubs_
      ABSL_GUARDED_BY(mutex_);
  std::array<int, kReplicas> issued_ ABSL_GUARDED_BY(mutex_) = {};
  std::vector<std::string> failures_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> lost_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::thread> threads_;
};

class RollingUpgradeTest : public ReplicasFixture {
 protected:
  void SetUp() override {
    ReplicasFixture::SetUp();
    Run("make roles");
    for (const std::string& name : kNames) WriteConfig(name);
    Run("prepare");
    next_.assign(Migrations().begin(), Migrations().end());
    ASSERT_OK_AND_ASSIGN(owner_, Connection::Open(OwnersConnection()));
    for (const std::string& name : kNames) ASSERT_NO_FATAL_FAILURE(StartReplica(name));
    PointClientAt(replica(kNames[0]).address);
    client().MakeReady();
    stream_ = std::make_unique<Stream>(client().Request());
    for (int i = 0; i < kReplicas; ++i) PointStreamAt(i);
    stream_->Start();
  }

  void PointStreamAt(int i) {
    PointClientAt(replica(kNames[static_cast<std::size_t>(i)]).address);
    stream_->Point(i, client().ChannelAs(kBroker));
  }
  std::unique_ptr<Connection> ConnectAsService() {
    issuance::postgresql::ConnectionParameters service = OwnersConnection();
    service.user = "hourglass";
    service.password = "of the service";
    return Connection::Open(service).value();
  }
  absl::Status Prepare() { return PrepareSchema(*owner_, "hourglass", next_); }
  std::int64_t Version() {
    return owner_->QueryInteger("SELECT max(version) FROM schema_versions").value();
  }
  // Makes a root and promotes it.
  void Promote() {
    const v1::Root root = client().CreateRoot("contoso", false);
    const auto roots = client().As<v1::RootService>(kAdministrator);
    grpc::ClientContext context;
    v1::Root promoted;
    EXPECT_THAT(roots->PromoteRoot(&context, ServiceClient::PromotionOf(root), &promoted),
                Succeeded());
    EXPECT_EQ(promoted.state(), v1::PRIMARY);
  }
  // One partition is made in a time long past, is dropped, and all that is dropped looked at. Of an
  // hour of its own each time.
  void UseJournalFunctions(Connection& service, std::int64_t hour) {
    const std::int64_t span = 3'600'000'000;
    EXPECT_OK(service.Query("SELECT make_journal_partition($1, $2)", {hour * span, span}));
    std::int64_t dropped = -1;  // while others use the journal
    while (dropped < 0) {
      dropped = service.QueryInteger("SELECT drop_journal_before($1)", {(hour + 1) * span}).value();
    }
    EXPECT_EQ(dropped, 1);
    EXPECT_EQ(service.QueryInteger("SELECT free_journal_keys()").value(), 1);
    EXPECT_OK(service.Query("SELECT delete_dropped_journal($1)", {(hour + 1) * span}));
  }
  void WaitUntilGone(const std::string& name) {
    EXPECT_OK(WaitUntilTrue(*owner_,
                            "SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = $1",
                            {issuance::postgresql::Text{name}}));
  }
  // What a start with the configuration of the first replica says, which must fail.
  std::string RefusedStart() {
    const CommandResult start = RunCommand({Daemon::kProgram, "--config", ConfigFile(kFirst)});
    EXPECT_EQ(start.exit_code, 1) << start.output;
    return start.output;
  }

  std::vector<Migration> next_;
  std::unique_ptr<Connection> owner_;
  std::unique_ptr<Stream> stream_;
};

TEST_F(RollingUpgradeTest, ReplicasServeOnTheSchemaOfTheNextProgramAndWaitForNone) {
  const std::unique_ptr<Connection> service = ConnectAsService();
  UseJournalFunctions(*service, 10);
  EXPECT_THAT(stream_->WaitForCertificates(20), IsEmpty());

  next_.push_back({kColumnsMore, 1});
  ASSERT_OK(Prepare());
  EXPECT_THAT(stream_->WaitForCertificates(20), IsEmpty()) << "while the step was made, or after";
  EXPECT_EQ(Version(), static_cast<std::int64_t>(next_.size()));
  EXPECT_OK(CheckSchema(*service, next_));
  EXPECT_OK(CheckSchema(*service, Migrations()));

  // The functions of a session that knew them before, and partitions made on the wider tables.
  UseJournalFunctions(*service, 20);
  EXPECT_EQ(owner_
                ->QueryInteger("SELECT count(*) FROM pg_attribute WHERE attname = 'later' AND "
                               "attrelid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = "
                               "'hourglass.intents'::regclass)")
                .value(),
            owner_
                ->QueryInteger("SELECT count(*) FROM pg_inherits WHERE inhparent = "
                               "'hourglass.intents'::regclass")
                .value());

  // The next program writes what these know nothing of, and they keep it.
  for (int round = 0; round < 3; ++round) {
    EXPECT_OK(service->Change("UPDATE tenants SET later = $1 WHERE tenant_id = 'contoso'",
                              {issuance::postgresql::Text{absl::StrCat("round ", round)}}));
    PointClientAt(replica(kNames[static_cast<std::size_t>(round % kReplicas)]).address);
    Promote();
    stream_->WaitForCertificates(5);
  }
  EXPECT_EQ(service
                ->QueryInteger("SELECT count(*) FROM tenants WHERE tenant_id = 'contoso' AND later "
                               "= 'round 2'")
                .value(),
            1);
  // An older `store prepare` leaves it as it is.
  EXPECT_THAT(Run("upgrade the schema"), HasSubstr("already"));
  EXPECT_OK(service->Query("UPDATE tenants SET later = 'still granted'"));

  for (int i = 0; i < kReplicas; ++i) {
    const std::string& name = kNames[static_cast<std::size_t>(i)];
    StopReplica(name);
    ASSERT_NO_FATAL_FAILURE(StartReplica(name));
    PointStreamAt(i);
    stream_->WaitForCertificates(10);
  }
  EXPECT_THAT(Run("look at the replicas"), AllOf(HasSubstr("berlin-1"), HasSubstr("berlin-2 *")));
  stream_->Stop();
  EXPECT_THAT(stream_->Lost(), IsEmpty());
  const auto on_record = owner_->QueryInteger("SELECT count(*) FROM releases");
  ASSERT_OK(on_record);
  EXPECT_GE(*on_record, stream_->issued());

  // A move would leave behind what it does not know.
  for (const std::string& name : kNames) StopReplica(name);
  const CommandResult move = shell().Run(absl::StrCat(
      "hourglass store move --from postgresql --to sqlite:", files().path(),
      " --config /etc/hourglass/hourglassd.yaml --owner hourglass_owner --owner-password-file "
      "/etc/hourglass-admin/owner.password"));
  EXPECT_EQ(move.exit_code, 1);
  EXPECT_THAT(move.output, HasSubstr("run a newer hourglass"));
}

TEST_F(RollingUpgradeTest, AStepThatLeavesReplicasOutWaitsUntilTheyAreStopped) {
  constexpr char kStopBoth[] = "stop hourglass berlin-1, hourglass berlin-2 first";
  constexpr char kRunNewer[] = "run a newer hourglass";
  constexpr char kStartFailed[] = "start_failed";
  EXPECT_THAT(ReadFileOrDie("docs/replicas.md"),
              AllOf(HasSubstr(absl::StrCat("`", kStopBoth, "`")),
                    HasSubstr(absl::StrCat("`", kRunNewer, "`")),
                    HasSubstr(absl::StrCat("`", kStartFailed, "`"))));
  const std::int64_t before = Version();
  EXPECT_THAT(stream_->WaitForCertificates(10), IsEmpty());
  next_.push_back({kColumnsMore, before + 1});
  const absl::Status refused = Prepare();
  EXPECT_THAT(refused, FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_THAT(std::string(refused.message()), HasSubstr(kStopBoth));
  EXPECT_EQ(Version(), before);
  EXPECT_EQ(owner_->QueryInteger("SELECT to_regclass('hourglass.later') IS NULL").value(), 1);
  EXPECT_THAT(stream_->WaitForCertificates(10), IsEmpty()) << "they go on";

  stream_->Stop();
  StopReplica(kNames[0]);
  WaitUntilGone("hourglass berlin-1");
  const absl::Status one_is_left = Prepare();
  EXPECT_THAT(std::string(one_is_left.message()), HasSubstr("stop hourglass berlin-2 first"));
  StopReplica(kNames[1]);
  WaitUntilGone("hourglass berlin-2");
  ASSERT_OK(Prepare());
  EXPECT_EQ(Version(), before + 1);

  const std::string words =
      absl::StrCat("the schema is of version ", before + 1, ", whose programs know version ",
                   before + 1, " at least, and this program knows ", before, ": ", kRunNewer);
  EXPECT_THAT(RefusedStart(),
              AllOf(HasSubstr(absl::StrCat("\"event\":\"", kStartFailed, "\"")), HasSubstr(words)));
  const CommandResult check =
      RunCommand({Daemon::kProgram, "--config", ConfigFile(kFirst), "--check-database"});
  EXPECT_EQ(check.exit_code, 1);
  EXPECT_THAT(check.output, HasSubstr(words));
  const CommandResult prepare = shell().Run(replicas_page().Take("upgrade the schema"));
  EXPECT_EQ(prepare.exit_code, 1);
  EXPECT_THAT(prepare.output, HasSubstr(words));
}

}  // namespace
}  // namespace hourglass
