// A database whose disk is full.
#include <gmock/gmock.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "issuance/store/postgresql/engine/connection.h"
#include "issuance/store/postgresql/postgresql_store.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/support/as_account.h"
#include "tests/support/postgresql_cluster.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

// A file system of 64 MB in memory, for the account of the server.
class SmallFileSystem {
 public:
  SmallFileSystem() {
    if (mkdtemp(path_.data()) == nullptr) return;
    is_mounted_ = mount("tmpfs", path_.c_str(), "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
                        absl::StrCat("size=64m,mode=0700,uid=", kNobody).c_str()) == 0;
  }
  ~SmallFileSystem() {
    if (is_mounted_) umount2(path_.c_str(), MNT_DETACH);
    rmdir(path_.c_str());
  }

  bool is_mounted() const { return is_mounted_; }
  const std::string& path() const { return path_; }
  void Fill() const {
    std::ofstream out(path_ + "/filler", std::ios::binary);
    const std::string page(4096, 'x');
    while (out.write(page.data(), static_cast<std::streamsize>(page.size())).flush()) continue;
  }
  void Clear() const { unlink((path_ + "/filler").c_str()); }

 private:
  std::string path_ = "/tmp/hourglass-full.XXXXXX";
  bool is_mounted_ = false;
};

TEST(FullDiskTest, IsAnErrorWhileItLastsAndLosesNothing) {
  if (!IsRoot()) GTEST_SKIP() << "only root can mount a small file system";
  const SmallFileSystem disk;
  if (!disk.is_mounted()) GTEST_SKIP() << "no file system can be mounted: " << strerror(errno);
  const std::unique_ptr<PostgresqlCluster> cluster = PostgresqlCluster::Start().value();
  const std::string database = cluster->CreatePreparedDatabase().value();
  const auto superuser = postgresql::Connection::Open(cluster->SuperuserOf("postgres")).value();
  ASSERT_OK(
      superuser->Execute(absl::StrCat("CREATE TABLESPACE small LOCATION '", disk.path(), "'")));
  ASSERT_OK(superuser->Execute(absl::StrCat("ALTER DATABASE ", database, " SET TABLESPACE small")));
  PostgresqlStoreOptions options;
  options.connection = cluster->ServiceOf(database);
  options.demands.synchronous_standby = false;
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> store, OpenPostgresqlStore(options));
  ASSERT_OK(AddSamplePrimary(*store));
  ASSERT_OK(Append(*store, SampleIntent("before")));

  disk.Fill();
  // Pages that are there already have room for some.
  absl::Status status;
  int written = 0;
  for (; status.ok() && written < 10'000; ++written) {
    status = Append(*store, SampleIntent(absl::StrCat("r-", written)));
  }
  EXPECT_THAT(status, FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_THAT(std::string(status.message()), testing::HasSubstr("No space left on device"));
  const std::string refused = absl::StrCat("r-", written - 1);
  EXPECT_OK(store->FindByRequestId(kSampleTenant, "before"));
  EXPECT_THAT(store->FindByRequestId(kSampleTenant, refused),
              FailsWith(ErrorReason::kCertificateUnknown));

  disk.Clear();
  EXPECT_OK(Append(*store, SampleIntent(refused)));
  for (int i = 0; i < written; ++i) {
    EXPECT_OK(store->FindByRequestId(kSampleTenant, absl::StrCat("r-", i)));
  }
}

}  // namespace
}  // namespace hourglass::issuance
