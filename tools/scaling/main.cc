// simulate: how many certificates a cell gives, how fast, and what keeps it from more.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "tools/client/usage.h"
#include "tools/scaling/constants.h"
#include "tools/scaling/tables.h"

namespace hourglass::scaling {
namespace {

constexpr absl::string_view kTables[] = {"cell", "fleet", "measured"};

struct Wishes {
  Question question;
  double start_within_minutes = 30;
  double disk_megabytes = 1000;
  bool without_standby = false;
  double seconds = 4;
  std::string show = "cell";
};

template <typename T>
void Add(CLI::App& app, const std::string& name, T& value, const std::string& what, T least,
         T most) {
  app.add_option(name, value, absl::StrCat(what, " (default: ", value, ")"))
      ->check(CLI::Range(least, most));
}

void AddFleet(CLI::App& app, Wishes& wishes) {
  Question& question = wishes.question;
  app.add_option("--devices", question.devices,
                 "How many, separated by commas (default: 1000000,10000000,100000000)")
      ->delimiter(',')
      ->check(CLI::Range(1.0, 1e10));
  Add(app, "--start-within", wishes.start_within_minutes,
      "Minutes within which all of them start in the morning", 1.0, 1440.0);
  Add(app, "--cells", question.cells, "So many cells; 0: as many as --fill says", 0, 10000);
  Add(app, "--fill", question.fill, "The share of what a cell gives that the morning may ask for",
      0.01, 1.0);
}

void AddReplicas(CLI::App& app, ReplicaModel& replica) {
  Add(app, "--replicas", replica.replicas, "Of a cell", 1, 1000);
  Add(app, "--cores", replica.cores, "Of a replica", 1, 1000);
  Add(app, "--lanes", replica.lanes, "Of a replica; 0: as hourglassd has them, one more than cores",
      0, 1000);
  Add(app, "--commits", replica.commits_at_once, "Commits of a replica under way at once", 1, 1000);
  Add(app, "--lane-us", replica.cost.lane,
      "Of a core for a certificate, besides the call and the signature", 1.0, 1e5);
  app.add_option(
         "--signature-us", replica.cost.signature,
         absl::StrCat("Of a core for its signature (default: ", kSignatureUs,
                      "; with an HSM, to ask for it and to verify it: ", kAwaitedSignatureUs, ")"))
      ->check(CLI::Range(1.0, 1e5));
}

void AddDatabase(CLI::App& app, Wishes& wishes) {
  DatabaseModel& database = wishes.question.cell.database;
  Add(app, "--database-cores", database.cores, "Of the primary", 1, 1000);
  Add(app, "--transaction-us", database.microseconds_per_transaction, "Of a core for a transaction",
      0.0, 1e6);
  Add(app, "--certificate-us", database.microseconds_per_certificate,
      "Of a core for a certificate's rows", 0.0, 1e6);
  Add(app, "--wal-octets", database.wal_octets_per_certificate, "Of the log for a certificate", 0.0,
      1e6);
  Add(app, "--round-trip-us", database.round_trip_us, "From a replica to the database and back",
      0.0, 1e6);
  Add(app, "--flush-us", database.flush_us, "A flush of the log, of the primary and of the standby",
      1.0, 1e6);
  Add(app, "--standby-round-trip-us", database.standby_round_trip_us,
      "From the primary to the standby and back", 0.0, 1e6);
  app.add_flag("--without-standby", wishes.without_standby, "Commits wait for the primary alone");
  Add(app, "--disk", wishes.disk_megabytes, "MB a second that the log's disk takes", 1.0, 1e6);
}

void AddHsm(CLI::App& app, HsmModel& hsm) {
  Add(app, "--hsm", hsm.signatures_per_second,
      "Signatures a second of an HSM that signs each certificate; 0: keys in memory", 0.0, 1e7);
  Add(app, "--hsm-sessions", hsm.sessions, "Signatures that it makes at once", 1, 10000);
  Add(app, "--hsm-round-trip-us", hsm.round_trip_us, "From a replica to it and back", 0.0, 1e6);
}

void AddRun(CLI::App& app, Wishes& wishes) {
  Add(app, "--seed", wishes.question.seed, "Of the random numbers", std::uint64_t{0},
      std::uint64_t{1} << 62);
  Add(app, "--seconds", wishes.seconds, "Simulated for each row, after one that is not counted",
      0.1, 600.0);
  client::OneOf(*app.add_option("--show", wishes.show,
                                "cell: what cells give; fleet: what devices ask for; measured: the "
                                "simulation beside docs/performance.md (default: cell)"),
                kTables);
}

std::string Text(Wishes& wishes) {
  Question& question = wishes.question;
  question.start_within = std::chrono::duration<double>(wishes.start_within_minutes * 60);
  question.cell.database.standby = !wishes.without_standby;
  question.cell.database.disk_octets_per_second = wishes.disk_megabytes * 1e6;
  question.span.measured = Microseconds(wishes.seconds * 1e6);
  if (wishes.show == "measured") return MeasuredTable(question.seed);
  return wishes.show == "fleet" ? FleetTable(question) : CellTable(question);
}

int Main(int argc, char** argv) {
  Wishes wishes;
  Question& question = wishes.question;
  question.devices = {1e6, 1e7, 1e8};
  question.cell = HundredTimes();
  CLI::App app;
  client::NameProgram(app, "simulate",
                      "Simulates cells of Hourglass: replicas with their PostgreSQL. By default "
                      "cells of 200 cores; docs/scaling.md says what is measured and what is not.");
  AddFleet(app, wishes);
  AddReplicas(app, question.cell.replica);
  AddDatabase(app, wishes);
  AddHsm(app, question.cell.hsm);
  AddRun(app, wishes);
  app.footer("\nExit codes: 0 done, 2 wrong usage");
  if (const auto exit_code = client::ParseArguments(app, argc, argv)) return *exit_code;
  const bool cost_is_given = app.count("--signature-us") > 0;
  if (question.cell.hsm.signatures_per_second > 0 && !cost_is_given) {
    question.cell.replica.cost.signature = kAwaitedSignatureUs;
  }
  std::fputs(Text(wishes).c_str(), stdout);
  return 0;
}

}  // namespace
}  // namespace hourglass::scaling

int main(int argc, char** argv) { return hourglass::scaling::Main(argc, argv); }
