// The login to one token, and its sessions.
#ifndef HOURGLASS_HSM_PKCS11_SESSION_POOL_H_
#define HOURGLASS_HSM_PKCS11_SESSION_POOL_H_

#include <p11-kit/pkcs11.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hsm/base/mutex.h"
#include "hsm/key/custodian.h"
#include "hsm/key/key_uri.h"
#include "hsm/pkcs11/module.h"
#include "hsm/pkcs11/return_code.h"

namespace hourglass::hsm {

// A session that one thread has for itself.
struct Session {
  const CK_FUNCTION_LIST& api;
  CK_SESSION_HANDLE handle;
  // The token's URI, for errors.
  const std::string& field;
  // Handles of objects hold within one login: a new login has another number here.
  uint64_t login;
  // Sessions of an earlier epoch are not used again, nor closed.
  uint64_t epoch;
  bool writable;
  // What a new key may do besides signing is left to the module: tpm2-pkcs11 1.9 refuses to be
  // told, and has the TPM decrypt with RSA keys in order to sign.
  bool module_chooses_uses;
};

// Touches the token when first used: loads the module, finds the token and logs in, once for all
// sessions, with one more session (the anchor) that is only kept open, because closing the last one
// would log out. A PIN that the token refused is not tried again, since tokens lock after a few
// tries; another one that the source gives later is. It counts as refused where the code says so,
// where the token's flags tell of one more wrong PIN, and where a token that can be asked answers
// what the standard does not name. Safe to call from several threads.
class SessionPool {
 public:
  enum class Access { kRead, kWrite };

  struct Options {
    int sessions = 8;  // open at once, besides the anchor; at least 1
    std::chrono::milliseconds wait = std::chrono::seconds(5);  // for a free session
    // After the token had no room for so many, one more is tried each time this has passed.
    std::chrono::milliseconds grow_after = std::chrono::seconds(10);
    bool logs_in_again = true;  // else a lost login needs a new custodian
    // By which grow_after passes.
    std::function<std::chrono::steady_clock::time_point()> now = std::chrono::steady_clock::now;
  };

  SessionPool(const TokenUri& token, const Options& options);
  // No Use may be under way.
  ~SessionPool();
  SessionPool(const SessionPool&) = delete;
  SessionPool& operator=(const SessionPool&) = delete;

  const std::string& field() const { return field_; }

  // Logs in unless that is done. Errors: KEY_UNAVAILABLE, PIN_REFUSED.
  absl::StatusOr<CustodianFacts> Greet();

  // Runs `work(Session&)`, which returns a Status or a StatusOr, with a session of its own. After
  // an error of the token that session is dropped and never used again; where the error's Remedy
  // can be had in this process, `work` runs again, in another session, once for each kind of
  // remedy. So it must be harmless to repeat. Errors: those of `work`, of which those that only a
  // new module may mend, or that came again after their remedy, NeedsNewCustodian; KEY_UNAVAILABLE
  // also where no session became free in time; PIN_REFUSED.
  template <typename Work>
  auto Use(Access access, Work work) -> decltype(work(std::declval<Session&>())) {
    for (Tried tried;;) {
      absl::StatusOr<Session> session = Acquire(access);
      if (!session.ok()) {
        absl::Status failure = session.status();
        if (Mends(failure, tried)) continue;
        return failure;
      }
      auto result = work(*session);
      Release(*session, StatusOf(result));
      if (result.ok()) return result;
      absl::Status failure = StatusOf(result);
      if (!Mends(failure, tried)) return failure;
    }
  }

  // How the token fares, but for signatures.
  CustodianStatus Status() const;

  // How often the token has answered so far what calls for a Remedy: each time, whatever was known
  // of its objects may have become wrong.
  uint64_t losses() const { return losses_.load(); }

 private:
  // The remedies that were tried for one call.
  using Tried = std::set<Remedy>;

  static const absl::Status& StatusOf(const absl::Status& status) { return status; }
  template <typename T>
  static const absl::Status& StatusOf(const absl::StatusOr<T>& result) {
    return result.status();
  }

  absl::StatusOr<Session> Acquire(Access access);
  // Takes a session back after `outcome`.
  void Release(const Session& session, const absl::Status& outcome);
  // Counts `failure`; true where trying again may help, and else marks it where only a new module
  // may.
  bool Mends(absl::Status& failure, Tried& tried);
  void Fared(const absl::Status& outcome) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status EnsureLogin() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status FindToken() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Login() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // What the token says of wrong PINs that were given to it; nothing where it cannot be asked.
  std::optional<CK_FLAGS> WrongPins() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Whether C_Login, which answered `code`, may have counted a wrong PIN.
  bool MayHaveCounted(CK_RV code, std::optional<CK_FLAGS> wrong_pins_before) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Whether one more may be opened.
  bool MayOpen() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Shrink() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // After `failure` in `session`, or in opening it: looks whether the login and the other sessions
  // still stand.
  void Doubt(const Session& session, const absl::Status& failure)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Counts one more session, which the caller is to open. Returns the idle one that goes for it, to
  // be closed first, or CK_INVALID_HANDLE.
  CK_SESSION_HANDLE MakeRoom() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // It could not be opened after all: `session` is what it would have been.
  void NotOpened(const Session& session, const absl::Status& failure)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const TokenUri token_;
  const std::string field_;
  const Options options_;

  std::atomic<uint64_t> losses_ = 0;
  mutable Mutex mutex_;
  ConditionVariable freed_;
  Module* module_ ABSL_GUARDED_BY(mutex_) = nullptr;
  CK_SLOT_ID slot_ ABSL_GUARDED_BY(mutex_) = 0;
  CK_SESSION_HANDLE anchor_ ABSL_GUARDED_BY(mutex_) = CK_INVALID_HANDLE;
  bool logged_in_ ABSL_GUARDED_BY(mutex_) = false;
  // What the token said to the last PIN, if it refused it.
  absl::Status refusal_ ABSL_GUARDED_BY(mutex_);
  std::string refused_pin_ ABSL_GUARDED_BY(mutex_);  // its Fingerprint
  uint64_t login_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t epoch_ ABSL_GUARDED_BY(mutex_) = 0;
  int open_ ABSL_GUARDED_BY(mutex_) = 0;  // idle or in use
  int most_ ABSL_GUARDED_BY(mutex_);      // of open_, as the options and the token allow
  int limit_ ABSL_GUARDED_BY(mutex_);     // of open_, now
  std::chrono::steady_clock::time_point shrunk_ ABSL_GUARDED_BY(mutex_);
  std::vector<CK_SESSION_HANDLE> idle_ ABSL_GUARDED_BY(mutex_);  // all read-only, of epoch_
  CustodianFacts facts_ ABSL_GUARDED_BY(mutex_);
  CustodianStatus status_ ABSL_GUARDED_BY(mutex_);  // but for sessions
};

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_PKCS11_SESSION_POOL_H_
