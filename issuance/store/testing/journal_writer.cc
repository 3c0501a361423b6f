// Writes to a store's journal from a process of its own, so that a test can kill it or take its
// disk away.
//
//   journal_writer load PATH RUN   intents and releases from 32 threads until it is killed; says
//   `RUN-…` after each
//                                  release that was acknowledged
//   journal_writer roll PATH RUN   the same with 50 intents a file of the journal
//   journal_writer fill PATH SIZE  a new store, writes until one fails; then makes room and writes
//   again. The disk is full
//                                  at SIZE octets a file, or, where SIZE is 0, when it is; room is
//                                  what PATH.ballast took
//   journal_writer open PATH       opens the store
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "issuance/pipeline/group_commit.h"
#include "issuance/store/sqlite/sqlite_store.h"
#include "issuance/store/testing/sample_records.h"

namespace hourglass::issuance {
namespace {

void Say(const std::string& line) {
  const std::string text = line + "\n";
  if (write(STDOUT_FILENO, text.data(), text.size()) < 0) std::exit(3);
}

[[noreturn]] void End(const absl::Status& status) {
  Say(status.ToString());
  std::exit(status.ok() ? 0 : 1);
}

void WriteForEver(Store& store, const std::string& run) {
  GroupCommit journal(&store, &store);
  std::vector<std::thread> writers;
  for (int writer = 0; writer < 32; ++writer) {
    writers.emplace_back([&, writer] {
      for (int i = 0;; ++i) {
        const Intent intent = SampleIntent(absl::StrCat(run, "-", writer, "-", i));
        absl::Status status = journal.Write(intent);
        if (status.ok()) status = journal.Write(ReleaseOf(intent));
        if (!status.ok()) End(status);
        Say(intent.request_id);
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
}

void LimitFileSize(rlim_t size) {
  rlimit limit;
  if (getrlimit(RLIMIT_FSIZE, &limit) != 0) std::exit(3);
  limit.rlim_cur = size == 0 ? limit.rlim_max : size;
  if (setrlimit(RLIMIT_FSIZE, &limit) != 0) std::exit(3);
}

absl::Status Fill(Store& store, const std::string& path, rlim_t size) {
  absl::Status status = AddSamplePrimary(store);
  if (!status.ok()) return status;
  signal(SIGXFSZ, SIG_IGN);
  LimitFileSize(size);
  int written = 0;
  while (status.ok()) {
    status = Append(store, SampleIntent(absl::StrCat("r-", written)));
    if (status.ok()) ++written;
  }
  Say(absl::StrCat("refused after ", written, ": ", status.ToString()));
  const std::string refused = absl::StrCat("r-", written);
  if (store.FindByRequestId(kSampleTenant, refused).ok()) Say("the refused one is there");
  LimitFileSize(0);
  unlink(absl::StrCat(path, ".ballast").c_str());
  status = Append(store, SampleIntent(refused));
  if (!status.ok()) return status;
  for (int i = 0; i <= written; ++i) {
    status = store.FindByRequestId(kSampleTenant, absl::StrCat("r-", i)).status();
    if (!status.ok()) return status;
  }
  Say("all are there");
  return absl::OkStatus();
}

}  // namespace
}  // namespace hourglass::issuance

int main(int argc, char** argv) {
  using namespace hourglass::issuance;  // NOLINT(google-build-using-namespace): main lies outside.
  if (argc < 3) return 2;
  const std::string task = argv[1], path = argv[2], detail = argc > 3 ? argv[3] : "";
  SqliteStoreOptions options;
  if (task == "roll") options.segment_intents = 50;
  absl::StatusOr<std::unique_ptr<Store>> store = OpenSqliteStore(path, options);
  if (!store.ok()) End(store.status());
  if (task == "load" || task == "roll") WriteForEver(**store, detail);
  if (task == "fill") End(Fill(**store, path, std::strtoul(detail.c_str(), nullptr, 10)));
  return task == "open" ? 0 : 2;
}
