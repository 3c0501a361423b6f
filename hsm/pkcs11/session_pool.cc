#include "hsm/pkcs11/session_pool.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "hsm/pkcs11/pin.h"
#include "hsm/pkcs11/return_code.h"

namespace hourglass::hsm {
namespace {

// The user's state, or nothing where the session is gone.
std::optional<bool> LoggedIn(const CK_FUNCTION_LIST& api, CK_SESSION_HANDLE session) {
  CK_SESSION_INFO info;
  if (api.C_GetSessionInfo(session, &info) != CKR_OK) return std::nullopt;
  return info.state == CKS_RO_USER_FUNCTIONS || info.state == CKS_RW_USER_FUNCTIONS;
}

bool SaysSessionIsGone(const absl::Status& status) {
  const std::optional<CK_RV> code = ReturnCodeOf(status);
  return code.has_value() && SessionIsGone(*code);
}

}  // namespace

SessionPool::SessionPool(const TokenUri& token, const Options& options)
    : token_(token), field_(FormatToken(token)), options_(options) {}

SessionPool::~SessionPool() {
  if (module_ == nullptr) return;
  for (const CK_SESSION_HANDLE session : idle_) module_->CloseSession(session);
  if (anchor_ != CK_INVALID_HANDLE) module_->CloseSession(anchor_);
}

absl::Status SessionPool::EnsureLogin() {
  if (logged_in_) return absl::OkStatus();
  if (!refusal_.ok()) return refusal_;
  if (module_ == nullptr) {
    ASSIGN_OR_RETURN(module_, Module::Load(token_));
  }
  if (anchor_ == CK_INVALID_HANDLE) {
    ASSIGN_OR_RETURN(slot_, module_->FindSlot(token_));
    ASSIGN_OR_RETURN(anchor_, module_->OpenSession(token_, slot_, /*writable=*/false));
  }
  const absl::Status status = Login();
  if (status.ok()) return status;
  if (!SaysSessionIsGone(status)) module_->CloseSession(anchor_);
  anchor_ = CK_INVALID_HANDLE;
  if (ReasonOf(status) == ErrorReason::kPinRefused) refusal_ = status;
  return status;
}

absl::Status SessionPool::Login() {
  ASSIGN_OR_RETURN(const std::unique_ptr<Pin> pin, Pin::Read(token_.pin_source));
  // C_Login does not write to the PIN, though its type says so.
  auto* octets = reinterpret_cast<unsigned char*>(const_cast<char*>(pin->value().data()));
  const CK_RV code = module_->api().C_Login(anchor_, CKU_USER, octets, pin->value().size());
  // The login is the process's: another pool of the same token may have made it.
  if (code != CKR_OK && code != CKR_USER_ALREADY_LOGGED_IN) {
    return Pkcs11Error(field_, "C_Login", code);
  }
  logged_in_ = true;
  ++login_;
  return absl::OkStatus();
}

void SessionPool::Doubt(const Session& session, bool session_is_gone) {
  // Several threads meet the same loss; the first to come here has seen to it.
  if (session.login == login_ && logged_in_) {
    const std::optional<bool> state = LoggedIn(module_->api(), anchor_);
    if (!state.has_value()) anchor_ = CK_INVALID_HANDLE;
    if (state != true) logged_in_ = false;
  }
  if (session.epoch != epoch_ || (anchor_ != CK_INVALID_HANDLE && !session_is_gone)) return;
  // Where one session is gone the idle ones are too, or may be. They are not closed: their numbers
  // may already be those of sessions that other threads use.
  open_ -= static_cast<int>(idle_.size());
  idle_.clear();
  ++epoch_;
}

absl::StatusOr<Session> SessionPool::Acquire(Access access) {
  std::unique_lock<std::mutex> lock(mutex_);
  const bool free = freed_.wait_for(lock, options_.wait,
                                    [&] { return !idle_.empty() || open_ < options_.sessions; });
  if (!free) {
    return Error(ErrorReason::kKeyUnavailable, field_,
                 absl::StrCat("all ", options_.sessions, " sessions stayed busy"));
  }
  if (absl::Status status = EnsureLogin(); !status.ok()) {
    // The place that woke this thread stays free: another thread that waits must learn of it.
    freed_.notify_one();
    return status;
  }
  if (access == Access::kRead && !idle_.empty()) {
    const CK_SESSION_HANDLE handle = idle_.back();
    idle_.pop_back();
    return Session{module_->api(), handle, field_, login_, epoch_, /*writable=*/false};
  }
  return Open(access, lock);
}

absl::StatusOr<Session> SessionPool::Open(Access access, std::unique_lock<std::mutex>& lock) {
  CK_SESSION_HANDLE surplus = CK_INVALID_HANDLE;
  if (open_ < options_.sessions) {
    ++open_;
  } else {
    // A writable session takes the place of an idle one.
    surplus = idle_.back();
    idle_.pop_back();
  }
  const CK_SLOT_ID slot = slot_;
  const uint64_t login = login_;
  const uint64_t epoch = epoch_;
  const bool writable = access == Access::kWrite;
  // Opening may take long over a network, and those who have a session must be able to give it
  // back.
  lock.unlock();
  if (surplus != CK_INVALID_HANDLE) module_->CloseSession(surplus);
  const absl::StatusOr<CK_SESSION_HANDLE> handle = module_->OpenSession(token_, slot, writable);
  lock.lock();
  if (!handle.ok()) {
    // The token may be gone, or back in another slot; without this the pool would never look again.
    Doubt({module_->api(), CK_INVALID_HANDLE, field_, login, epoch, writable},
          SaysSessionIsGone(handle.status()));
    --open_;
    freed_.notify_one();
    return handle.status();
  }
  return Session{module_->api(), *handle, field_, login, epoch, writable};
}

bool SessionPool::Release(const Session& session, const absl::Status& outcome) {
  const std::optional<CK_RV> code = ReturnCodeOf(outcome);
  const Remedy remedy = code.has_value() ? RemedyOf(*code) : Remedy::kNone;
  const bool retry = remedy == Remedy::kNewSession || remedy == Remedy::kFindAgain;
  const bool gone = SaysSessionIsGone(outcome);
  std::unique_lock<std::mutex> lock(mutex_);
  if (retry || gone) Doubt(session, gone);
  const bool current = session.epoch == epoch_;
  const bool keep = !code.has_value() && !session.writable && current;
  if (keep) {
    idle_.push_back(session.handle);
  } else {
    --open_;
  }
  freed_.notify_one();
  lock.unlock();
  // Nor is a session of an earlier epoch closed; see Doubt.
  if (current && !keep && !gone) module_->CloseSession(session.handle);
  return retry;
}

}  // namespace hourglass::hsm
