// A custodian whose module runs in processes of its own.
#ifndef HOURGLASS_HSM_KEYHOLDER_REMOTE_CUSTODIAN_H_
#define HOURGLASS_HSM_KEYHOLDER_REMOTE_CUSTODIAN_H_

#include <chrono>
#include <memory>
#include <string>
#include <variant>

#include "hsm/key/custodian.h"
#include "hsm/key/key_uri.h"
#include "hsm/key/sealer.h"
#include "hsm/tpm/tpm_custodian.h"

namespace hourglass::hsm {

class WorkerParent;

struct RemoteCustodianOptions {
  std::string program;  // hourglass-keyholder, absolute path
  // Names of variables that it gets besides those of IsOfWorkers; without `parent`.
  std::vector<std::string> environment;
  // Who starts it; null: this process does.
  std::shared_ptr<WorkerParent> parent;
  // Else no key is made, destroyed or sealed: KEY_NOT_PERMITTED.
  bool administration = true;
  // Processes; 0: as many as cores where the token signs on this machine's cores, else 2, but 1 for
  // what only one process can use.
  int workers = 0;
  // Sessions that sign at once, over all processes. A token that signs on this machine's cores gets
  // one a process.
  int sessions = 8;
  // A signature, or anything but making a key, that takes longer means that the module hangs: its
  // process is killed.
  std::chrono::milliseconds hang_timeout = std::chrono::seconds(2);
  std::chrono::milliseconds generation_timeout = std::chrono::minutes(2);
  // Loading the module and logging in.
  std::chrono::milliseconds start_timeout = std::chrono::seconds(10);
  // A caller waits at most this long for its signature, or for all that it asked for at once;
  // recovery included.
  std::chrono::milliseconds wait = std::chrono::seconds(5);
};

class RemoteCustodian : public KeyCustodian, public Sealer {
 public:
  // Starts nothing before it is first used. A process that crashes, hangs or says that only a new
  // one may help is replaced at once, then with growing pauses of at most half a second; what it
  // was signing is signed by another, over the same digest, at most three times. It is healthy once
  // signatures by the keys last used, and by those that callers wait for, verify. While it is not,
  // at most four callers wait, and the rest get KEY_UNAVAILABLE with a retry delay at once, so that
  // a dead token takes no threads from others; and so does who would wait for longer than `wait`
  // behind those who wait already, at the pace at which the token or TPM signs. No process logs in
  // twice, and one starts at a time: a refused PIN is not tried again by any process until its
  // source changes, and those that are logged in go on meanwhile. `observer` may be null, or must
  // outlive this object.
  static std::unique_ptr<RemoteCustodian> Create(
      const std::variant<TokenUri, TpmConnection>& custodian, const RemoteCustodianOptions& options,
      KeyObserver* observer);

 protected:
  RemoteCustodian() = default;
};

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_KEYHOLDER_REMOTE_CUSTODIAN_H_
