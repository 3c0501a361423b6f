#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hsm/base/status_macros.h"
#include "issuance/config/config.h"
#include "issuance/store/postgresql/engine/connection.h"
#include "issuance/store/postgresql/engine/schema.h"
#include "tools/hourglass/command.h"
#include "tools/hourglass/store_database.h"

namespace hourglass::cli {
namespace {

namespace postgresql = issuance::postgresql;

struct PrepareOptions {
  std::string service_config;
  std::string owner;
  std::string owner_password_file;
  std::string service;
};

// 0 where there is no schema.
absl::StatusOr<std::int64_t> SchemaVersion(postgresql::Connection& owner) {
  ASSIGN_OR_RETURN(
      const std::int64_t is_there,
      owner.QueryInteger("SELECT to_regclass('hourglass.schema_versions') IS NOT NULL"));
  if (is_there == 0) return 0;
  return owner.QueryInteger("SELECT coalesce(max(version), 0) FROM hourglass.schema_versions");
}

std::string WhatWasDone(std::int64_t before, std::int64_t after) {
  if (before == 0) return absl::StrCat("made, of version ", after);
  if (before == after) return absl::StrCat("is of version ", after, " already");
  return absl::StrCat("upgraded from version ", before, " to ", after);
}

absl::StatusOr<Answer> Prepare(const PrepareOptions& options) {
  ASSIGN_OR_RETURN(const issuance::PostgresqlConfig config, ReadDatabase(options.service_config));
  ASSIGN_OR_RETURN(const postgresql::ConnectionParameters parameters,
                   OwnersConnection(config, options.owner, options.owner_password_file,
                                    "hourglass store prepare"));
  const std::string service = options.service.empty() ? config.user : options.service;
  ASSIGN_OR_RETURN(const std::unique_ptr<postgresql::Connection> owner,
                   postgresql::Connection::Open(parameters));
  ASSIGN_OR_RETURN(const std::int64_t before, SchemaVersion(*owner));
  RETURN_IF_ERROR(postgresql::PrepareSchema(*owner, service, postgresql::Migrations()));
  ASSIGN_OR_RETURN(const std::int64_t after, SchemaVersion(*owner));
  Answer answer;
  answer.text = absl::StrCat(
      "Schema hourglass of database ", config.database, ": ", WhatWasDone(before, after),
      ".\nRole ", service,
      " may use it: it adds to the journal, and neither changes nor drops what is there.\n");
  answer.json = {{"database", config.database},
                 {"schema_version_before", before},
                 {"schema_version", after},
                 {"service_role", service}};
  return answer;
}

}  // namespace

void AddStore(CLI::App& app, CommandLine& line) {
  CLI::App* noun = app.add_subcommand(
      "store", "Prepare the service's database (PostgreSQL), and move stores into it and back");
  noun->require_subcommand(1)->fallthrough();
  const auto options = std::make_shared<PrepareOptions>();
  CLI::App* command = noun->add_subcommand(
      "prepare",
      "Make or upgrade the tables as the role that owns them, and grant the service's role what it "
      "needs; works without a service, and beside one");
  command->fallthrough();
  command->add_option("--config", options->service_config, "The service's own: hourglassd.yaml")
      ->required()
      ->type_name("FILE");
  command->add_option("--owner", options->owner, "The role that owns the tables, not the service's")
      ->required()
      ->type_name("ROLE");
  command
      ->add_option("--owner-password-file", options->owner_password_file,
                   "A file with its password; without, the server must ask for none")
      ->type_name("FILE");
  command
      ->add_option("--service", options->service,
                   "The service's role (default: store.postgresql.user)")
      ->type_name("ROLE");
  command->callback(
      [&line, options] { line.local_command = [options] { return Prepare(*options); }; });
  AddStoreMove(*noun, line);
}

}  // namespace hourglass::cli
