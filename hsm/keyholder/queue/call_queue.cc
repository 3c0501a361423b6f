#include "hsm/keyholder/queue/call_queue.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "hsm/key/key_type.h"

namespace hourglass::hsm {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Who is refused by a wrong PIN; the whole custodian where it logs in.
std::string SubjectOf(const keyholder::Request& request) {
  return request.has_unseal() && request.unseal().recovery_code().empty() ? request.unseal().blob()
                                                                          : "";
}

}  // namespace

absl::StatusOr<std::string> CallQueue::Sign(const CustodialKey& key, absl::string_view digest) {
  return std::move(SignAll(key, {std::string(digest)}).front());
}

std::vector<absl::StatusOr<std::string>> CallQueue::SignAll(const CustodialKey& key,
                                                            absl::Span<const std::string> digests) {
  const auto size = static_cast<std::size_t>(EVP_MD_get_size(DigestOf(key.type)));
  if (digests.empty()) return {};
  if (std::any_of(digests.begin(), digests.end(),
                  [&](const std::string& digest) { return digest.size() != size; })) {
    return {digests.size(),
            Error(ErrorReason::kInternalError, "digest", "is not of the size that the key signs")};
  }
  const SteadyTime now = steady_clock::now();
  const auto unanswered = std::make_shared<Unanswered>(digests.size(), now + options_.wait);
  std::vector<std::shared_ptr<Call>> calls;
  calls.reserve(digests.size());
  for (const std::string& digest : digests) {
    calls.push_back(std::make_shared<Call>(digest, unanswered));
  }
  const absl::StatusOr<std::shared_ptr<KeyQueue>> held = Enqueue(key, calls, now);
  if (!held.ok()) return {digests.size(), held.status()};
  const bool answered = unanswered->Wait();
  --waiting_;
  unsigned_ -= static_cast<int>(calls.size());
  const absl::Status late = answered ? absl::OkStatus() : GiveUp(held->get(), calls);
  std::vector<absl::StatusOr<std::string>> signatures;
  signatures.reserve(calls.size());
  for (const auto& call : calls) {
    signatures.push_back(!answered && call->Abandon() ? late : call->TakeSignature());
  }
  return signatures;
}

absl::StatusOr<std::shared_ptr<KeyQueue>> CallQueue::Enqueue(
    const CustodialKey& key, const std::vector<std::shared_ptr<Call>>& calls, SteadyTime now) {
  const MutexLock lock(mutex_);
  RETURN_IF_ERROR(Admit(options_.pin_logs_in ? std::string() : key.selector.label, now));
  ASSIGN_OR_RETURN(std::shared_ptr<KeyQueue> held, calls_.Hold(key));
  if (held->health.out_of_service()) {
    return OutOfService(key.selector);
  }
  held->last_used = now;
  for (const auto& call : calls) {
    ++unsigned_;
    const absl::Status in_time = AdmitInTime(*held);
    if (in_time.ok()) {
      calls_.Append(held, call);
    } else {
      call->AnswerError(in_time);
    }
  }
  ++waiting_;
  WakeLinks(calls.size());
  return held;
}

absl::StatusOr<keyholder::Reply> CallQueue::Ask(keyholder::Request request, milliseconds timeout,
                                                milliseconds wait) {
  const SteadyTime now = steady_clock::now();
  const std::string subject = SubjectOf(request);
  const auto unanswered = std::make_shared<Unanswered>(1, now + wait);
  const auto call = std::make_shared<Call>(std::move(request), timeout, unanswered);
  call->asked = now;
  call->wait = wait;
  {
    const MutexLock lock(mutex_);
    RETURN_IF_ERROR(Admit(subject, now));
    calls_.AppendOther(call);
    ++waiting_;
    WakeLinks(1);
  }
  const bool answered = unanswered->Wait();
  --waiting_;
  if (!answered && call->Abandon()) return GiveUp(nullptr, {call});
  absl::StatusOr<keyholder::Reply> reply = call->TakeReply();
  if (!reply.ok()) return ForCaller(reply.status());
  return reply;
}

absl::Status CallQueue::Admit(const std::string& subject, SteadyTime now) {
  if (stopped()) return Stopped();
  circuit_.Use(now);
  RETURN_IF_ERROR(start_gate_.CheckPin(subject));
  return circuit_.Admit(waiting_.load(std::memory_order_relaxed), now);
}

absl::Status CallQueue::AdmitInTime(const KeyQueue& key) const {
  int threads = 0;
  for (const Link& link : links_) threads += link.threads;
  const auto until =
      calls_.TooLate(key, unsigned_.load(std::memory_order_relaxed), threads, options_.wait);
  if (!until.has_value()) return absl::OkStatus();
  const auto delay = std::chrono::ceil<milliseconds>(*until);
  return WithRetryDelay(
      Error(ErrorReason::kKeyUnavailable, options_.name,
            absl::StrCat("signs too slowly for all who ask: those before would take ",
                         delay.count(), " ms")),
      delay);
}

absl::Status CallQueue::GiveUp(KeyQueue* key, absl::Span<const std::shared_ptr<Call>> calls) {
  const MutexLock lock(mutex_);
  calls_.Remove(key, calls);
  return circuit_.Unavailable(steady_clock::now());
}

absl::Status CallQueue::Hold(const CustodialKey& key) {
  const MutexLock lock(mutex_);
  ASSIGN_OR_RETURN(const std::shared_ptr<KeyQueue> held, calls_.Hold(key));
  held->last_used = steady_clock::now();
  return absl::OkStatus();
}

void CallQueue::Forget(const KeySelector& selector) {
  const MutexLock lock(mutex_);
  for (const auto& call : calls_.Forget(selector)) {
    call->AnswerError(Error(ErrorReason::kKeyNotFound, options_.name, "the key was destroyed"));
  }
}

// At most as many links as there are calls, those first that owe least.
void CallQueue::WakeLinks(std::size_t calls) {
  for (; calls > 0; --calls) {
    Link* idlest = nullptr;
    for (Link& link : links_) {
      if (!link.wants_work || link.woken) continue;
      if (idlest == nullptr || link.outstanding < idlest->outstanding) idlest = &link;
    }
    if (idlest == nullptr) return;
    idlest->woken = true;
    idlest->waker.Wake();
  }
}

absl::Status CallQueue::OutOfService(const KeySelector& selector) const {
  return Error(ErrorReason::kKeyMismatch, options_.name,
               absl::StrCat("the key ", selector.label,
                            " gave signatures that do not verify: it is out of service"));
}

absl::Status CallQueue::Stopped() const {
  return Error(ErrorReason::kKeyUnavailable, options_.name, "is being closed");
}

void CallQueue::Stop() {
  const MutexLock lock(mutex_);
  stopped_ = true;
  FailEveryone(Stopped());
  for (const Link& link : links_) link.waker.Wake();
}

void CallQueue::FailOthers(const absl::Status& error) {
  for (const auto& call : calls_.TakeOthers()) call->AnswerError(error);
}

void CallQueue::FailEveryone(const absl::Status& error) {
  for (const auto& call : calls_.TakeSignatures()) call->AnswerError(error);
  FailOthers(error);
}

CustodianStatus CallQueue::Status() const {
  const MutexLock lock(mutex_);
  return StatusLocked();
}

CustodianStatus CallQueue::StatusLocked() const {
  CustodianStatus status = totals_;
  status.state = circuit_.state();
  status.since = circuit_.since();
  status.message = circuit_.message();
  for (const Link& link : links_) {
    if (!link.running) continue;
    ++status.workers;
    status.logins += link.counters.logins();
    status.sessions += link.counters.sessions();
    for (const auto& [name, count] : link.counters.errors()) status.errors[name] += count;
  }
  return status;
}

void CallQueue::Changed() {
  if (options_.observer != nullptr)
    options_.observer->CustodianChanged(options_.name, StatusLocked());
}

void CallQueue::Report(int pid, absl::string_view how_it_ended) const {
  if (options_.observer != nullptr)
    options_.observer->WorkerEnded(options_.name, pid, how_it_ended);
}

void CallQueue::ReportLines(absl::string_view lines) const {
  if (options_.observer == nullptr) return;
  for (const absl::string_view line : absl::StrSplit(lines, '\n', absl::SkipEmpty())) {
    options_.observer->WorkerSaid(options_.name, line);
  }
}

}  // namespace hourglass::hsm
