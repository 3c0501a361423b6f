// Tokens behind worker processes, under load, one of which comes to harm.
#ifndef HOURGLASS_TESTS_FAULTS_FAULT_WORLD_H_
#define HOURGLASS_TESTS_FAULTS_FAULT_WORLD_H_

#include <chrono>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "hsm/base/error.h"
#include "hsm/store/key_store.h"
#include "tests/fakes/faulty_pkcs11.h"
#include "tests/faults/recording_observer.h"
#include "tests/faults/recovery_table.h"
#include "tests/faults/signing_load.h"
#include "tests/support/softhsm_token.h"
#include "tests/support/temporary_directory.h"

namespace hourglass {

// hourglass-keyholder, an absolute path. The test's BUILD rule must name it in `data`.
std::string KeyholderProgram();

// What is done to a token, and undone.
struct Fault {
  std::string name;
  std::function<void()> begin;
  std::chrono::milliseconds lasts{600};
  // Nothing: the fault is over when it has struck once.
  std::function<void()> end;
};

// Keys of one KeyStore with worker processes, each used by six threads all the time. The first is
// the one that comes to harm.
class FaultWorld {
 public:
  // Makes the keys, P-256. `options` without observer and keyholder_program. Each thread begins a
  // signature every `pace`.
  FaultWorld(hsm::KeyStoreOptions options, const std::vector<std::string>& key_uris,
             std::chrono::microseconds pace = std::chrono::milliseconds(5));

  struct Outcome {
    Recovery recovery;
    std::set<ErrorReason> reasons;  // that callers of the harmed key saw
  };
  // Begins the fault, lets it last, ends it, and waits until the harmed key signs again. Expects
  // that it does, that no signature was wrong, and that the other keys had no failure. Adds a row
  // to the table.
  Outcome Undergo(const Fault& fault);

  // Of the custodian whose name holds `name`.
  hsm::CustodianStatus Status(absl::string_view name) const;
  hsm::KeyStore& store() { return *store_; }
  RecordingObserver& observer() { return observer_; }
  SigningLoad& load() { return *load_; }

 private:
  void Measure(SteadyTime begun, SteadyTime ended, bool strikes_once, Outcome& outcome);

  RecordingObserver observer_;
  std::unique_ptr<hsm::KeyStore> store_;
  std::vector<std::unique_ptr<hsm::SigningKey>> keys_;
  std::unique_ptr<SigningLoad> load_;
};

// The same with SoftHSM tokens: `harmed`, reached through a FaultyPkcs11, and `other-1` and so on
// beside it. The keys are called `k`.
class TokenWorld {
 public:
  explicit TokenWorld(int others = 1);

  // `pkcs11:token=harmed;object=NAME`.
  static std::string HarmedKeyUri(absl::string_view name = "k");

  // SIGKILL to every worker process of the harmed token.
  void KillWorkers();

  FaultWorld::Outcome Undergo(const Fault& fault) { return world_->Undergo(fault); }
  hsm::CustodianStatus Status() const { return world_->Status("token=harmed"); }
  SofthsmToken& softhsm() { return softhsm_; }
  FaultyPkcs11& faulty() { return faulty_; }
  hsm::KeyStore& store() { return world_->store(); }
  RecordingObserver& observer() { return world_->observer(); }
  SigningLoad& load() { return world_->load(); }
  // Of the harmed token alone: rewritten by tests that change its PIN.
  const std::string& pin_file() const { return pin_file_; }

 private:
  TemporaryDirectory directory_;
  SofthsmToken softhsm_;
  FaultyPkcs11 faulty_;
  std::string pin_file_;
  std::unique_ptr<FaultWorld> world_;
};

// SIGKILL to those of `processes` that are worker processes now.
void KillKeyholders(const std::vector<int>& processes);
// The worker processes that this process started.
std::vector<int> OwnKeyholders();

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_FAULTS_FAULT_WORLD_H_
