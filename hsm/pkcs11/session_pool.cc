#include "hsm/pkcs11/session_pool.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "hsm/key/pin.h"
#include "hsm/pkcs11/return_code.h"

namespace hourglass::hsm {
namespace {

// The user's state, or nothing where the session is gone.
std::optional<bool> LoggedIn(const CK_FUNCTION_LIST& api, CK_SESSION_HANDLE session) {
  CK_SESSION_INFO info;
  if (api.C_GetSessionInfo(session, &info) != CKR_OK) return std::nullopt;
  return info.state == CKS_RO_USER_FUNCTIONS || info.state == CKS_RW_USER_FUNCTIONS;
}

Remedy RemedyFor(const absl::Status& failure) {
  const std::optional<CK_RV> code = ReturnCodeOf(failure);
  return code.has_value() ? RemedyOf(*code) : Remedy::kNone;
}

// What a token that works may say of a key, after which no operation is left under way.
bool IsAnswer(const absl::Status& outcome) {
  if (outcome.ok()) return true;
  if (ReturnCodeOf(outcome).has_value() || NeedsNewCustodian(outcome)) return false;
  const ErrorReason reason = ReasonOf(outcome);
  return reason == ErrorReason::kKeyNotFound || reason == ErrorReason::kKeyExists ||
         reason == ErrorReason::kKeyUnfit || reason == ErrorReason::kKeyUnsupported ||
         reason == ErrorReason::kKeyInvalid;
}

std::string ClassOf(const absl::Status& failure) {
  const std::optional<CK_RV> code = ReturnCodeOf(failure);
  return code.has_value() ? ReturnCodeName(*code) : std::string(ErrorReasonName(ReasonOf(failure)));
}

bool SaysSessionIsGone(const absl::Status& status) {
  const std::optional<CK_RV> code = ReturnCodeOf(status);
  return code.has_value() && SessionIsGone(*code);
}

}  // namespace

SessionPool::SessionPool(const TokenUri& token, const Options& options)
    : token_(token),
      field_(FormatToken(token)),
      options_(options),
      most_(options.sessions),
      limit_(options.sessions) {}

SessionPool::~SessionPool() {
  if (module_ == nullptr) return;
  for (const CK_SESSION_HANDLE session : idle_) module_->CloseSession(session);
  if (anchor_ != CK_INVALID_HANDLE) module_->CloseSession(anchor_);
}

absl::StatusOr<CustodianFacts> SessionPool::Greet() {
  RETURN_IF_ERROR(Use(Access::kRead, [](Session&) { return absl::OkStatus(); }));
  const MutexLock lock(mutex_);
  return facts_;
}

CustodianStatus SessionPool::Status() const {
  const MutexLock lock(mutex_);
  CustodianStatus status = status_;
  status.sessions = open_ + (anchor_ != CK_INVALID_HANDLE ? 1 : 0);
  return status;
}

void SessionPool::Fared(const absl::Status& outcome) {
  using State = CustodianStatus::State;
  State state = State::kHealthy;
  std::string message;
  if (!IsAnswer(outcome)) {
    state = State::kRecovering;
    message = std::string(outcome.message());
    if (NeedsNewCustodian(outcome)) {
      state = State::kFailed;
      absl::StrAppend(&message, "; where it stays so, start this process anew");
    } else if (ReasonOf(outcome) == ErrorReason::kPinRefused) {
      state = State::kFailed;
      absl::StrAppend(&message, "; put the right PIN into ", FormatPinSource(token_.pin_source));
    }
  }
  if (state == status_.state && message == status_.message) return;
  if (state != status_.state) status_.since = std::chrono::steady_clock::now();
  status_.state = state;
  status_.message = std::move(message);
}

bool SessionPool::Mends(absl::Status& failure, Tried& tried) {
  const MutexLock lock(mutex_);
  ++status_.errors[ClassOf(failure)];
  const Remedy remedy = RemedyFor(failure);
  if (!NeedsNewCustodian(failure) && remedy != Remedy::kNone) {
    if (remedy != Remedy::kNewModule && tried.insert(remedy).second) return true;
    // A new process has no more room, unless this one has lost sessions that it did not close.
    if (remedy != Remedy::kFewerSessions || (open_ == 0 && epoch_ > 0)) {
      failure = NeedingNewCustodian(std::move(failure));
    }
  }
  if (NeedsNewCustodian(failure) || ReturnCodeOf(failure).has_value()) Fared(failure);
  return false;
}

absl::Status SessionPool::EnsureLogin() {
  if (logged_in_) return absl::OkStatus();
  if (login_ > 0 && !options_.logs_in_again) {
    return NeedingNewCustodian(Error(ErrorReason::kKeyUnavailable, field_, "the login is lost"));
  }
  if (anchor_ == CK_INVALID_HANDLE) RETURN_IF_ERROR(FindToken());
  absl::Status status = Login();
  if (status.ok()) return status;
  if (SaysSessionIsGone(status)) {
    anchor_ = CK_INVALID_HANDLE;
    return status;
  }
  // Not again in this call: the token may have counted it.
  if (RemedyFor(status) != Remedy::kNone) status = NeedingNewCustodian(std::move(status));
  Fared(status);
  return status;
}

absl::Status SessionPool::FindToken() {
  if (module_ == nullptr) {
    absl::StatusOr<Module*> module = Module::Load(token_);
    if (!module.ok()) return NeedingNewCustodian(module.status());
    module_ = *module;
  }
  // Modules remember their slots: a token that comes later may be seen by a new process only.
  const absl::StatusOr<CK_SLOT_ID> slot = module_->FindSlot(token_);
  if (!slot.ok()) return NeedingNewCustodian(slot.status());
  slot_ = *slot;
  ASSIGN_OR_RETURN(facts_, module_->Describe(token_, slot_));
  most_ = options_.sessions;
  // It signs one at a time anyway, and crashes where a session is closed beside it.
  if (facts_.one_process_only) most_ = 1;
  if (facts_.most_sessions > 0 && facts_.most_sessions <= static_cast<uint64_t>(most_)) {
    most_ = std::max(1, static_cast<int>(facts_.most_sessions) - 1);
  }
  limit_ = most_;
  ASSIGN_OR_RETURN(anchor_, module_->OpenSession(token_, slot_, /*writable=*/false));
  return absl::OkStatus();
}

absl::Status SessionPool::Login() {
  ASSIGN_OR_RETURN(const std::unique_ptr<Pin> pin, Pin::Read(token_.pin_source));
  if (!refusal_.ok()) {
    ASSIGN_OR_RETURN(const std::string fingerprint, pin->Fingerprint());
    if (fingerprint == refused_pin_) return refusal_;
  }
  // C_Login does not write to the PIN, though its type says so.
  auto* octets = reinterpret_cast<unsigned char*>(const_cast<char*>(pin->value().data()));
  const std::optional<CK_FLAGS> wrong_pins_before = WrongPins();
  const CK_RV code = module_->api().C_Login(anchor_, CKU_USER, octets, pin->value().size());
  if (code != CKR_OK && code != CKR_USER_ALREADY_LOGGED_IN) {
    absl::Status failure = Pkcs11Error(field_, "C_Login", code);
    if (MayHaveCounted(code, wrong_pins_before)) {
      failure =
          Error(ErrorReason::kPinRefused, field_, absl::StrCat("C_Login: ", ReturnCodeName(code)));
      ASSIGN_OR_RETURN(refused_pin_, pin->Fingerprint());
      refusal_ = failure;
    }
    return failure;
  }
  // The login is the process's: another pool of the same token may have made it. Some modules say
  // so of a login that the token has long forgotten.
  if (code == CKR_USER_ALREADY_LOGGED_IN && LoggedIn(module_->api(), anchor_) != true) {
    return Pkcs11Error(field_, "C_Login", CKR_USER_NOT_LOGGED_IN);
  }
  refusal_ = absl::OkStatus();
  refused_pin_.clear();
  logged_in_ = true;
  ++login_;
  ++status_.logins;
  return absl::OkStatus();
}

std::optional<CK_FLAGS> SessionPool::WrongPins() const {
  CK_TOKEN_INFO info = {};
  if (module_->api().C_GetTokenInfo(slot_, &info) != CKR_OK) return std::nullopt;
  return info.flags & (CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY | CKF_USER_PIN_LOCKED);
}

bool SessionPool::MayHaveCounted(CK_RV code, std::optional<CK_FLAGS> wrong_pins_before) const {
  if (RefusesThePin(code)) return true;
  // A token that is away has seen no PIN.
  const std::optional<CK_FLAGS> wrong_pins = WrongPins();
  if (!wrong_pins.has_value()) return false;
  return !IsNamed(code) ||
         (wrong_pins_before.has_value() && (*wrong_pins & ~*wrong_pins_before) != 0);
}

void SessionPool::Doubt(const Session& session, const absl::Status& failure) {
  const bool token_is_gone = RemedyFor(failure) == Remedy::kFindToken;
  const bool session_is_gone = token_is_gone || SaysSessionIsGone(failure);
  // Several threads meet the same loss; the first to come here has seen to it.
  if (session.login == login_ && logged_in_) {
    const std::optional<bool> state = LoggedIn(module_->api(), anchor_);
    if (!state.has_value() || token_is_gone) anchor_ = CK_INVALID_HANDLE;
    if (state != true || token_is_gone) logged_in_ = false;
  }
  if (session.epoch != epoch_ || (anchor_ != CK_INVALID_HANDLE && !session_is_gone)) return;
  // Where one session is gone the idle ones are too, or may be. They are not closed: their numbers
  // may already be those of sessions that other threads use.
  open_ -= static_cast<int>(idle_.size());
  idle_.clear();
  ++epoch_;
}

bool SessionPool::MayOpen() {
  if (limit_ < most_) {
    const auto now = options_.now();
    if (now - shrunk_ >= options_.grow_after) {
      ++limit_;
      shrunk_ = now;
    }
  }
  return open_ < limit_;
}

void SessionPool::Shrink() {
  limit_ = std::max(1, open_);
  shrunk_ = options_.now();
}

absl::StatusOr<Session> SessionPool::Acquire(Access access) {
  MutexLock lock(mutex_);
  const bool free = freed_.wait_for(
      lock, options_.wait,
      [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !idle_.empty() || MayOpen(); });
  if (!free) {
    return Error(ErrorReason::kKeyUnavailable, field_,
                 absl::StrCat("all ", limit_, " sessions stayed busy"));
  }
  if (absl::Status status = EnsureLogin(); !status.ok()) {
    // The place that woke this thread stays free: another thread that waits must learn of it.
    freed_.notify_one();
    return status;
  }
  Module& module = *module_;
  const bool tpm = facts_.one_process_only;
  if (access == Access::kRead && !idle_.empty()) {
    const CK_SESSION_HANDLE handle = idle_.back();
    idle_.pop_back();
    return Session{module.api(), handle, field_, login_, epoch_, /*writable=*/false, tpm};
  }
  const CK_SESSION_HANDLE surplus = MakeRoom();
  const CK_SLOT_ID slot = slot_;
  const bool writable = access == Access::kWrite;
  Session session{module.api(), CK_INVALID_HANDLE, field_, login_, epoch_, writable, tpm};
  // Opening may take long over a network, and those who have a session must be able to give it
  // back.
  lock.unlock();
  if (surplus != CK_INVALID_HANDLE) module.CloseSession(surplus);
  const absl::StatusOr<CK_SESSION_HANDLE> handle = module.OpenSession(token_, slot, writable);
  lock.lock();
  if (!handle.ok()) {
    NotOpened(session, handle.status());
    return handle.status();
  }
  session.handle = *handle;
  return session;
}

CK_SESSION_HANDLE SessionPool::MakeRoom() {
  if (open_ < limit_ || idle_.empty()) {
    ++open_;
    return CK_INVALID_HANDLE;
  }
  // A writable session takes the place of an idle one.
  const CK_SESSION_HANDLE surplus = idle_.back();
  idle_.pop_back();
  return surplus;
}

void SessionPool::NotOpened(const Session& session, const absl::Status& failure) {
  ++losses_;
  --open_;
  if (RemedyFor(failure) == Remedy::kFewerSessions) {
    Shrink();
  } else {
    // The token may be gone, or back in another slot; without this the pool would never look
    // again.
    Doubt(session, failure);
  }
  freed_.notify_one();
}

void SessionPool::Release(const Session& session, const absl::Status& outcome) {
  const bool answer = IsAnswer(outcome);
  const Remedy remedy = RemedyFor(outcome);
  const bool gone = SaysSessionIsGone(outcome);
  if (remedy != Remedy::kNone) ++losses_;
  MutexLock lock(mutex_);
  if (answer) Fared(outcome);
  if (gone || remedy == Remedy::kNewSession || remedy == Remedy::kFindAgain ||
      remedy == Remedy::kFindToken) {
    Doubt(session, outcome);
  }
  const bool current = session.epoch == epoch_;
  const bool keep = answer && !session.writable && current && open_ <= limit_;
  if (keep) {
    idle_.push_back(session.handle);
  } else {
    --open_;
  }
  if (remedy == Remedy::kFewerSessions) Shrink();
  Module& module = *module_;
  freed_.notify_one();
  lock.unlock();
  // Nor is a session of an earlier epoch closed; see Doubt.
  if (current && !keep && !gone) module.CloseSession(session.handle);
}

}  // namespace hourglass::hsm
