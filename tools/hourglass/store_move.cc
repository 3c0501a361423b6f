#include "issuance/store/transfer/store_move.h"

#include <unistd.h>

#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/server/store_connection.h"
#include "issuance/store/transfer/postgresql_movable.h"
#include "issuance/store/transfer/sqlite_movable.h"
#include "tools/client/table.h"
#include "tools/hourglass/command.h"
#include "tools/hourglass/move_progress.h"
#include "tools/hourglass/store_database.h"

namespace hourglass::cli {
namespace {

using issuance::MovableStore;
using issuance::MoveReport;

constexpr absl::string_view kSqlite = "sqlite:";
constexpr absl::string_view kPostgresql = "postgresql";

struct DatabaseOptions {
  std::string service_config;
  std::string owner;
  std::string owner_password_file;
};

struct MoveCommand {
  DatabaseOptions database;
  std::string from;
  std::string to;
  bool dry_run = false;
};

struct ReopenCommand {
  DatabaseOptions database;
  std::string store;
};

CLI::Validator IsPlace() {
  return CLI::Validator(
      [](std::string& text) -> std::string {
        if (text == kPostgresql) return "";
        const bool is_sqlite = absl::StartsWith(text, kSqlite) && text.size() > kSqlite.size();
        return is_sqlite ? "" : "is neither sqlite:DIR nor postgresql";
      },
      "");
}

std::string DirectoryOf(const std::string& place) {
  std::string directory(absl::StripPrefix(place, kSqlite));
  while (directory.size() > 1 && directory.back() == '/') directory.pop_back();
  return directory;
}

absl::StatusOr<issuance::PostgresqlMoveOptions> DatabaseOf(const DatabaseOptions& options,
                                                           const std::string& program) {
  if (options.service_config.empty()) {
    return Error(ErrorReason::kConfigurationInvalid, "--config",
                 "is required with postgresql: the service's own, which says where that is");
  }
  ASSIGN_OR_RETURN(const issuance::PostgresqlConfig config, ReadDatabase(options.service_config));
  issuance::PostgresqlMoveOptions database;
  database.demands = issuance::DemandsOf(config);
  database.machine = config.replica;
  if (options.owner.empty()) {
    // Most likely not the owner, whom the refusal names.
    ASSIGN_OR_RETURN(database.connection, issuance::ConnectionOf(config));
    database.connection.application_name = program;
    return database;
  }
  ASSIGN_OR_RETURN(database.connection,
                   OwnersConnection(config, options.owner, options.owner_password_file, program));
  return database;
}

absl::StatusOr<std::unique_ptr<MovableStore>> OpenSource(const MoveCommand& command) {
  if (command.from != kPostgresql) return issuance::OpenSqliteSource(DirectoryOf(command.from));
  ASSIGN_OR_RETURN(const issuance::PostgresqlMoveOptions database,
                   DatabaseOf(command.database, "hourglass store move"));
  return issuance::OpenPostgresqlSource(database);
}

absl::StatusOr<std::unique_ptr<MovableStore>> OpenTarget(const MoveCommand& command) {
  if (command.to != kPostgresql) return issuance::OpenSqliteTarget(DirectoryOf(command.to));
  ASSIGN_OR_RETURN(const issuance::PostgresqlMoveOptions database,
                   DatabaseOf(command.database, "hourglass store move"));
  return issuance::OpenPostgresqlTarget(database);
}

// What to do now, beside the counts.
std::string WhatNext(const MoveCommand& command, const MovableStore& from) {
  if (command.dry_run) return "Nothing was changed. The same without --dry-run moves it.\n";
  return absl::StrCat(
      "Both were read again and are equal, record by record. ", from.name(),
      " keeps what it had, and no service opens it any more.\n",
      command.to == kPostgresql
          ? "Start the service with its section `store`.\n"
          : "Start the service without a section `store`, its data_directory being this one.\n");
}

Answer Describe(const MoveCommand& command, const MovableStore& from, const MovableStore& to,
                const MoveReport& report, absl::Duration took) {
  Answer answer;
  client::Json counts = client::Json::object();
  std::string lines;
  std::size_t number = 0;
  for (const issuance::Part& part : issuance::Parts()) {
    const std::int64_t count = report.counts[number++];
    absl::StrAppend(&lines, "  ", part.name, std::string(26 - part.name.size(), ' '), count, "\n");
    counts[std::string(part.name)] = count;
  }
  const std::string seconds = absl::FormatDuration(absl::Trunc(took, absl::Milliseconds(100)));
  answer.text = absl::StrCat(
      command.dry_run ? "Would move " : "Moved ", report.total, " records from ", from.name(),
      " to ", to.name(), " (", seconds, ")",
      report.found > 0
          ? absl::StrCat(", of which ", report.found, " were there from an interrupted run")
          : "",
      ":\n", lines, "  SHA-256 of all            ", report.sha256, "\n", WhatNext(command, from));
  answer.json = {{"from", from.name()},        {"to", to.name()},
                 {"dry_run", command.dry_run}, {"records", report.total},
                 {"found", report.found},      {"counts", counts},
                 {"sha256", report.sha256},    {"seconds", absl::ToDoubleSeconds(took)}};
  return answer;
}

absl::StatusOr<Answer> Move(const MoveCommand& command) {
  if ((command.from == kPostgresql) == (command.to == kPostgresql)) {
    return Error(ErrorReason::kConfigurationInvalid, "--to",
                 "one of --from and --to must be sqlite:DIR and the other postgresql");
  }
  const absl::Time began = absl::Now();
  MoveProgressLine line(&std::cerr, isatty(STDERR_FILENO) == 1, absl::Now);
  ASSIGN_OR_RETURN(const std::unique_ptr<MovableStore> from, OpenSource(command));
  ASSIGN_OR_RETURN(const std::unique_ptr<MovableStore> to, OpenTarget(command));
  issuance::MoveOptions options;
  options.now = issuance::Timestamp(std::chrono::microseconds(absl::ToUnixMicros(began)));
  options.dry_run = command.dry_run;
  options.observer = [&](const issuance::MoveProgress& progress) { line.Show(progress); };
  const absl::StatusOr<MoveReport> report = issuance::MoveStore(*from, *to, options);
  line.End();
  if (!report.ok()) return report.status();
  return Describe(command, *from, *to, *report, absl::Now() - began);
}

absl::StatusOr<Answer> Reopen(const ReopenCommand& command) {
  if (command.store == kPostgresql) {
    ASSIGN_OR_RETURN(const issuance::PostgresqlMoveOptions database,
                     DatabaseOf(command.database, "hourglass store reopen"));
    RETURN_IF_ERROR(issuance::ReopenPostgresqlStore(database));
  } else {
    RETURN_IF_ERROR(issuance::ReopenSqliteStore(DirectoryOf(command.store)));
  }
  Answer answer;
  answer.text = absl::StrCat(command.store,
                             " may be served again, with what it had when it was moved. Nobody "
                             "may serve the other one from now on.\n");
  answer.json = {{"store", command.store}, {"reopened", true}};
  return answer;
}

void AddDatabaseOptions(CLI::App& command, DatabaseOptions& options) {
  command
      .add_option("--config", options.service_config,
                  "The service's own, hourglassd.yaml, with its section store.postgresql")
      ->type_name("FILE");
  command
      .add_option("--owner", options.owner,
                  "The role that owns the tables (default: store.postgresql.user)")
      ->type_name("ROLE");
  command
      .add_option("--owner-password-file", options.owner_password_file,
                  "A file with its password; without, the server must ask for none")
      ->type_name("FILE");
}

void AddReopen(CLI::App& noun, CommandLine& line) {
  const auto options = std::make_shared<ReopenCommand>();
  CLI::App* command = noun.add_subcommand(
      "reopen",
      "Let a store that was moved elsewhere be served again, without what was issued since");
  command->fallthrough();
  command->add_option("--store", options->store, "sqlite:DIR, a data directory, or postgresql")
      ->required()
      ->check(IsPlace())
      ->type_name("STORE");
  AddDatabaseOptions(*command, options->database);
  command->callback(
      [&line, options] { line.local_command = [options] { return Reopen(*options); }; });
}

}  // namespace

void AddStoreMove(CLI::App& noun, CommandLine& line) {
  const auto options = std::make_shared<MoveCommand>();
  CLI::App* command = noun.add_subcommand(
      "move",
      "Bring a whole store, journal included, from SQLite into PostgreSQL or back, while no "
      "service runs; an interrupted move goes on where it was");
  command->fallthrough();
  for (const auto& [name, place] : {std::pair("--from", &options->from), {"--to", &options->to}}) {
    command->add_option(name, *place, "sqlite:DIR, a data directory, or postgresql")
        ->required()
        ->check(IsPlace())
        ->type_name("STORE");
  }
  AddDatabaseOptions(*command, options->database);
  command->add_flag("--dry-run", options->dry_run, "Look at everything and change nothing");
  command->callback(
      [&line, options] { line.local_command = [options] { return Move(*options); }; });
  AddReopen(noun, line);
}

}  // namespace hourglass::cli
