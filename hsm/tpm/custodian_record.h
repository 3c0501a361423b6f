// How a custodian that lives in this process fares, for KeyCustodian::Status.
#ifndef HOURGLASS_HSM_TPM_CUSTODIAN_RECORD_H_
#define HOURGLASS_HSM_TPM_CUSTODIAN_RECORD_H_

#include <chrono>

#include "absl/status/status.h"
#include "hsm/base/mutex.h"
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
  void Become(CustodianStatus::State state, absl::string_view message)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable Mutex mutex_;
  CustodianStatus status_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_TPM_CUSTODIAN_RECORD_H_
