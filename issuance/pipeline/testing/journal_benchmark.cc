// What the journal costs a certificate, and how fast it is read.
//
//   journal_benchmark PATH COUNT   fills the store at PATH, a new one or one that this program
//   made,
//                                  up to COUNT certificates, then measures
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "hsm/base/status_macros.h"
#include "issuance/store/sqlite/sqlite_store.h"
#include "issuance/store/testing/fill_journal.h"
#include "issuance/store/testing/sample_records.h"

namespace hourglass::issuance {
namespace {

constexpr absl::string_view kTenant = kSampleTenant;

double Seconds(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// A number from a file of /proc: `wchar` of /proc/self/io, `VmRSS` of /proc/self/status.
double FromProc(const std::string& file, const std::string& name) {
  std::ifstream lines(file);
  std::string word;
  double number = 0;
  while (lines >> word) {
    if (word == name + ":") lines >> number;
  }
  return number;
}

struct Cost {
  double cpu = Seconds(CLOCK_PROCESS_CPUTIME_ID);
  double thread_cpu = Seconds(CLOCK_THREAD_CPUTIME_ID);
  double wall = Seconds(CLOCK_MONOTONIC);
  double octets = FromProc("/proc/self/io", "wchar");
};

void Print(const char* what, const Cost& from, const Cost& to, double count) {
  std::printf("%-28s %8.2f us CPU (%6.2f in the writing thread) %8.2f us wall %8.0f octets\n", what,
              1e6 * (to.cpu - from.cpu) / count, 1e6 * (to.thread_cpu - from.thread_cpu) / count,
              1e6 * (to.wall - from.wall) / count, (to.octets - from.octets) / count);
  std::fflush(stdout);
}

// The records are made before the clock starts.
absl::Status Measure(Store& store, std::int64_t group, std::int64_t& next) {
  const std::int64_t groups = 20000 / (group + 8);
  std::vector<std::vector<JournalWrite>> writes;
  for (std::int64_t i = 0; i < groups; ++i) {
    std::vector<JournalWrite> intents, releases;
    for (std::int64_t j = 0; j < group; ++j) {
      intents.push_back(SyntheticIntent(next++, kTenant));
      releases.push_back(SyntheticRelease(std::get<Intent>(intents.back())));
    }
    writes.push_back(std::move(intents));
    writes.push_back(std::move(releases));
  }
  const Cost from;
  for (const std::vector<JournalWrite>& group_writes : writes) {
    ASSIGN_OR_RETURN(const std::vector<absl::Status> statuses, store.AppendToJournal(group_writes));
    for (const absl::Status& status : statuses) RETURN_IF_ERROR(status);
  }
  Print(("groups of " + std::to_string(group)).c_str(), from, Cost(),
        static_cast<double>(groups * group));
  return absl::OkStatus();
}

absl::Status Time(const char* what, int times,
                  const std::function<absl::Status(std::int64_t)>& query) {
  const Cost from;
  for (int i = 0; i < times; ++i) RETURN_IF_ERROR(query(i));
  Print(what, from, Cost(), times);
  return absl::OkStatus();
}

absl::Status MeasureQueries(Store& store, std::int64_t count) {
  const auto sample = [count](std::int64_t i) {
    return SyntheticIntent(
        static_cast<std::int64_t>(static_cast<std::uint64_t>(i + 1) * 0x9e3779b97f4a7c15 %
                                  static_cast<std::uint64_t>(count)),
        kTenant);
  };
  const auto page = [&store](const JournalFilter& filter) {
    return store.ListJournal(kTenant, filter, 100, "").status();
  };
  RETURN_IF_ERROR(Time("by request id", 500, [&](std::int64_t i) {
    return store.FindByRequestId(kTenant, sample(i).request_id).status();
  }));
  RETURN_IF_ERROR(Time("by serial number", 500, [&](std::int64_t i) {
    return store.FindBySerialNumber(kTenant, sample(i).serial_number).status();
  }));
  RETURN_IF_ERROR(Time("newest page", 20, [&](std::int64_t) { return page({}); }));
  RETURN_IF_ERROR(Time("page by device", 20, [&](std::int64_t i) {
    JournalFilter filter;
    filter.device_id = sample(i).device_id;
    return page(filter);
  }));
  RETURN_IF_ERROR(Time("page by user", 20, [&](std::int64_t i) {
    JournalFilter filter;
    filter.user_upn = sample(i).user_upn;
    return page(filter);
  }));
  RETURN_IF_ERROR(Time("page by unknown user", 20, [&](std::int64_t) {
    JournalFilter filter;
    filter.user_upn = "nobody";
    return page(filter);
  }));
  RETURN_IF_ERROR(Time("page by time", 20, [&](std::int64_t i) {
    JournalFilter filter;
    filter.intended_before = sample(i).intended_at;
    return page(filter);
  }));
  RETURN_IF_ERROR(store.PutDevice(SampleDevice("laptop-1")));
  RETURN_IF_ERROR(Time("a device", 20000, [&](std::int64_t) {
    return store.GetDevice(kTenant, "laptop-1").status();
  }));
  return Time("the roots", 20000, [&](std::int64_t) { return store.ListRoots(kTenant).status(); });
}

absl::Status Run(const std::string& path, std::int64_t count) {
  std::int64_t there = 0;
  {
    ASSIGN_OR_RETURN(const std::unique_ptr<Store> store, OpenSqliteStore(path));
    if (!store->GetTenant(kTenant).ok()) RETURN_IF_ERROR(AddSamplePrimary(*store, kTenant));
    // The newest record tells how many there are.
    ASSIGN_OR_RETURN(const Page<JournalRecord> newest, store->ListJournal(kTenant, {}, 1, ""));
    if (!newest.records.empty()) {
      const auto age = newest.records[0].intent.intended_at - SampleTime();
      there = std::chrono::duration_cast<std::chrono::milliseconds>(age).count() + 1;
    }
    const Cost from;
    if (count > there) {
      RETURN_IF_ERROR(FillJournal(*store, kTenant, count - there, there));
      Print("filling, 512 a group", from, Cost(), static_cast<double>(count - there));
      there = count;
    }
  }
  const double before = FromProc("/proc/self/status", "VmRSS");
  const Cost from;
  ASSIGN_OR_RETURN(const std::unique_ptr<Store> store, OpenSqliteStore(path));
  Print("opening", from, Cost(), 1);
  std::printf("%-28s %8.1f MB, %.1f MB before it was opened\n", "resident",
              FromProc("/proc/self/status", "VmRSS") / 1024, before / 1024);
  for (const std::int64_t group : {1, 8, 32, 128}) RETURN_IF_ERROR(Measure(*store, group, there));
  return MeasureQueries(*store, there);
}

}  // namespace
}  // namespace hourglass::issuance

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: journal_benchmark PATH COUNT\n");
    return 2;
  }
  const absl::Status status = hourglass::issuance::Run(argv[1], std::strtoll(argv[2], nullptr, 10));
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
