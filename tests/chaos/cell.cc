#include "tests/chaos/cell.h"

#include <sys/stat.h>

#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "hsm/base/status_macros.h"
#include "issuance/store/postgresql/engine/connection.h"

namespace hourglass::chaos {
namespace {

using issuance::postgresql::Connection;

// Short waits: what chaos breaks is to be met again soon.
constexpr char kOperationTimeout[] = "2s";
constexpr int kLongestBackoffMilliseconds = 500;

absl::Status ExecuteAsSuperuser(const PostgresqlCluster& database, const std::string& name,
                                const std::string& sql) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Connection> superuser,
                   Connection::Open(database.SuperuserOf(name)));
  return superuser->Execute(sql);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Cell>> Cell::Start(std::uint64_t seed, SeededFault fault,
                                                  const std::string& log_folder) {
  std::unique_ptr<Cell> cell(new Cell);
  for (const char* caller : {kAdministrator, kAuditor, kWideBroker, kWideReporter}) {
    const TlsCredential& credential = cell->files_.CredentialOf(caller);
    cell->credentials_[caller] = {ReadFileOrDie(cell->files_.tls().trusted_roots_file()),
                                  ReadFileOrDie(credential.private_key_file),
                                  ReadFileOrDie(credential.certificate_file)};
  }
  RETURN_IF_ERROR(cell->StartDatabase(fault));
  RETURN_IF_ERROR(cell->StartReplicas(seed, fault, log_folder));
  return cell;
}

absl::Status Cell::StartDatabase(SeededFault fault) {
  ASSIGN_OR_RETURN(database_, PostgresqlCluster::Start());
  // Read when it is started. Commits are what the fence orders, whatever a client can see.
  RETURN_IF_ERROR(
      ExecuteAsSuperuser(*database_, "postgres", "ALTER SYSTEM SET track_commit_timestamp = on"));
  RETURN_IF_ERROR(database_->Crash());
  RETURN_IF_ERROR(database_->Run());
  ASSIGN_OR_RETURN(database_name_, database_->CreatePreparedDatabase());
  if (fault != SeededFault::kNoIdempotency) return absl::OkStatus();
  return ExecuteAsSuperuser(*database_, database_name_,
                            "ALTER TABLE hourglass.journal_keys DROP CONSTRAINT journal_keys_pkey; "
                            "CREATE INDEX ON hourglass.journal_keys (tenant_id, request_id)");
}

absl::Status Cell::StartReplicas(std::uint64_t seed, SeededFault fault,
                                 const std::string& log_folder) {
  const TemporaryDirectory& folder = files_.directory();
  std::filesystem::create_directory(folder.File("keys"));
  files_.Configure("{software_directory: keys}", files_.data_directory());
  folder.Write(absl::StrCat("policies/", kSubKeyTenant, ".yaml"), kTestPolicy);
  const auto service = database_->TlsServiceOf(database_name_);
  chmod(folder.Write("db.password", absl::StrCat(service.password, "\n")).c_str(), 0600);
  for (int i = 0; i < kReplicas; ++i) {
    ASSIGN_OR_RETURN(
        std::unique_ptr<Proxy> proxy,
        Proxy::Start(service.servers.front().port, seed + static_cast<std::uint64_t>(i)));
    Replica::Options options;
    options.folder = folder.path();
    options.log_folder = log_folder;
    options.name = absl::StrCat("berlin-", i + 1);
    options.configuration = ConfigurationOf(proxy->port());
    if (IsInStatements(fault)) {
      options.environment = {absl::StrCat(kSeededFaultVariable, "=", SeededFaultName(fault))};
      options.preloaded_library = std::filesystem::absolute(kSeededStatements).string();
    }
    options.has_fake_clock = i == kReplicas - 1;
    replicas_.push_back(std::make_unique<Replica>(std::move(options)));
    proxies_.push_back(std::move(proxy));
    RETURN_IF_ERROR(replicas_.back()->Start());
  }
  return absl::OkStatus();
}

std::string Cell::ConfigurationOf(int port) const {
  const auto service = database_->TlsServiceOf(database_name_);
  return absl::StrCat(
      absl::StrReplaceAll(ReadFileOrDie(files_.config_file()), {{"address_file: address\n", ""}}),
      "store:\n  postgresql:\n    replica: ", Replica::kNamePlace,
      "\n    servers: [\"127.0.0.1:", port, "\"]\n    database: ", database_name_,
      "\n    user: ", service.user,
      "\n    password_file: db.password\n    ca_file: ", service.ca_file,
      "\n    synchronous_standby: waived\n    waiver_reason: a test with one server\n",
      "    operation_timeout: ", kOperationTimeout,
      "\nissuing: {lifetime: 5m, max_roots: 1000, max_keys: 100000}\n", "tenants:\n  ",
      kSubKeyTenant, ": {sub_key: {enabled: true}}\n");
}

const grpc::SslCredentialsOptions& Cell::CredentialsOf(absl::string_view caller) const {
  return credentials_.at(std::string(caller));
}

v1::IssueCertificateRequest Cell::MakeRequest() {
  v1::IssueCertificateRequest request = files_.Request();
  request.clear_tenant_id();
  request.clear_request_id();
  return request;
}

std::shared_ptr<grpc::Channel> Connections::To(int replica) {
  Connection& connection = connections_[static_cast<std::size_t>(replica)];
  const std::string address = cell_->replica(replica).address();
  if (connection.channel != nullptr && connection.address == address) return connection.channel;
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kLongestBackoffMilliseconds);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kLongestBackoffMilliseconds);
  connection = {address,
                grpc::CreateCustomChannel(
                    address, grpc::SslCredentials(cell_->CredentialsOf(caller_)), arguments)};
  return connection.channel;
}

}  // namespace hourglass::chaos
