// How a custodian that lives in this process fares, for KeyCustodian::Status.
#ifndef HOURGLASS_HSM_TPM_CUSTODIAN_RECORD_H_
#define HOURGLASS_HSM_TPM_CUSTODIAN_RECORD_H_

#include <chrono>
#include <mutex>

#include "absl/status/status.h"
#include "hsm/key/custodian.h"

namespace hourglass::hsm {

// Safe to call from several threads; never waits for the TPM.
class CustodianRecord {
 public:
  CustodianStatus Status() const;

  // What an operation came to. A lost connection makes it recovering; a refused PIN, a failed or a
  // locked TPM failed. An error about one key alone changes nothing but its count.
  void Note(const absl::Status& result);
  void NoteConnection(bool connected);
  void NoteSignature(std::chrono::steady_clock::duration time);

 private:
  void Become(CustodianStatus::State state, absl::string_view message);

  mutable std::mutex mutex_;
  CustodianStatus status_;  // guarded by mutex_
};

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_TPM_CUSTODIAN_RECORD_H_
