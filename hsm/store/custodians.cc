#include "hsm/store/custodians.h"

#include <utility>

#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "hsm/key/key_uri.h"
#include "hsm/keyholder/process/worker_parent.h"
#include "hsm/keyholder/process/worker_spawner.h"
#include "hsm/keyholder/remote_custodian.h"
#include "hsm/pkcs11/pkcs11_custodian.h"
#include "hsm/tpm/tpm_custodian.h"

namespace hourglass::hsm {
namespace {

RemoteCustodianOptions RemoteOptions(const KeyStoreOptions& options) {
  RemoteCustodianOptions remote;
  remote.program = options.keyholder_program;
  remote.environment = options.keyholder_environment;
  remote.parent = WorkerParentOfThisProcess();
  remote.workers = options.workers_per_token;
  remote.sessions = options.sessions_per_token;
  remote.hang_timeout = options.hang_timeout;
  return remote;
}

absl::StatusOr<TpmConnection> ConnectionOf(const TpmPlace& tpm) {
  if (tpm.tcti.empty()) {
    return Error(ErrorReason::kConfigurationInvalid, "keys.tpm.tcti", "must not be empty");
  }
  TpmConnection connection;
  connection.tcti = tpm.tcti;
  if (tpm.pin_source.empty()) return connection;
  const absl::StatusOr<PinSource> source = ParsePinSource(tpm.pin_source);
  if (!source.ok()) {
    return Error(ErrorReason::kConfigurationInvalid, "keys.tpm.pin_source",
                 "must be file:ABSOLUTE-PATH, env:NAME or credential:NAME");
  }
  connection.pin_source = *source;
  return connection;
}

}  // namespace

absl::Status ForkWorkerParent(const KeyStoreOptions& options,
                              const std::optional<Account>& account) {
  SpawnerOptions spawner;
  spawner.account = account;
  spawner.program.path = options.keyholder_program;
  spawner.program.environment = options.keyholder_environment;
  for (const std::string& text : options.tokens) {
    ASSIGN_OR_RETURN(TokenUri token, ParseTokenUri(text));
    spawner.custodians.emplace_back(std::move(token));
  }
  if (options.tpm.has_value()) {
    ASSIGN_OR_RETURN(TpmConnection tpm, ConnectionOf(*options.tpm));
    spawner.custodians.emplace_back(std::move(tpm));
  }
  if (options.keyholder_program.empty() || spawner.custodians.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(std::shared_ptr<WorkerParent> parent, ForkWorkerSpawner(spawner));
  SetWorkerParent(std::move(parent));
  return absl::OkStatus();
}

std::shared_ptr<KeyCustodian> CustodianOfToken(const TokenUri& token,
                                               const KeyStoreOptions& options) {
  if (!options.keyholder_program.empty()) {
    return RemoteCustodian::Create(token, RemoteOptions(options), options.observer);
  }
  Pkcs11CustodianOptions in_process;
  in_process.sessions = options.sessions_per_token;
  return CreatePkcs11Custodian(token, in_process);
}

absl::StatusOr<TpmFaces> CustodianOfTpm(const TpmPlace& tpm, const KeyStoreOptions& options) {
  ASSIGN_OR_RETURN(const TpmConnection connection, ConnectionOf(tpm));
  if (!options.keyholder_program.empty()) {
    const std::shared_ptr<RemoteCustodian> remote =
        RemoteCustodian::Create(connection, RemoteOptions(options), options.observer);
    return TpmFaces{remote, remote};
  }
  const std::shared_ptr<TpmCustodian> in_process = TpmCustodian::Create(connection);
  return TpmFaces{in_process, in_process};
}

}  // namespace hourglass::hsm
