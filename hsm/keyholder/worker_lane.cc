#include "hsm/keyholder/worker_lane.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"

namespace hourglass::hsm {
namespace {

using keyholder::Reply;
using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::steady_clock;

constexpr std::size_t kLongestSignature = 1024;

// However long its parts keep coming.
constexpr std::chrono::minutes kLongestInParts(10);

// What hangs will hardly end by itself, and calls wait for its successor.
constexpr milliseconds kGraceOfHanging(250);

std::optional<PinSource> PinSourceOf(const std::variant<TokenUri, TpmConnection>& custodian) {
  if (const auto* token = std::get_if<TokenUri>(&custodian)) return token->pin_source;
  return std::get<TpmConnection>(custodian).pin_source;
}

bool IsWhole(const Reply& reply, std::size_t digests) {
  const auto signatures = static_cast<std::size_t>(reply.signatures_size());
  return (signatures == digests ||
          (reply.unfinished() && signatures > 0 && signatures < digests)) &&
         std::all_of(reply.signatures().begin(), reply.signatures().end(),
                     [](const keyholder::Signature& signature) {
                       return signature.has_failure() ||
                              (!signature.octets().empty() &&
                               signature.octets().size() <= kLongestSignature);
                     });
}

// The selector of a call that only makes sense where the key is there.
std::optional<KeySelector> WantedKey(const keyholder::Request& request) {
  if (request.has_open()) return ReadSelector(request.open());
  if (request.has_destroy()) return ReadSelector(request.destroy());
  return std::nullopt;
}

}  // namespace

WorkerLane::WorkerLane(Options options, CallQueue* queue)
    : options_(std::move(options)),
      queue_(*queue),
      waker_(queue_.AddLane()),
      pin_source_(PinSourceOf(options_.custodian)),
      thread_([this] { Run(); }) {}

WorkerLane::~WorkerLane() { thread_.join(); }

void WorkerLane::Run() {
  while (!queue_.stopped()) {
    if (worker_ == nullptr) {
      Start();
    } else {
      Serve();
    }
  }
  if (unfinished_.has_value()) debts_.push_back(*std::move(unfinished_));
  for (Debt& debt : debts_) queue_.PutBackAfterLoss(std::move(debt.work), "", steady_clock::now());
  worker_.reset();
}

void WorkerLane::Start() {
  stamp_ = StampOf(pin_source_);
  start_ = steady_clock::now();
  const CallQueue::Permit permit = queue_.AskToStart(options_.index, stamp_, start_);
  if (!permit.granted) return static_cast<void>(Poll(permit.ask_again));
  auto worker = WorkerProcess::Start(options_.parent, {options_.custodian, options_.threads});
  if (!worker.ok()) {
    return queue_.Lost(options_.index, "KEY_UNAVAILABLE", worker.status().message(), true,
                       steady_clock::now());
  }
  worker_ = *std::move(worker);
  queue_.Spawned(options_.index);
  phase_ = Phase::kGreeting;
  reads_standard_error_ = true;
  Debt greeting;
  greeting.kind = Kind::kGreeting;
  greeting.due = start_ + patience_.For(greeting_took_, options_.remote.start_timeout);
  Send(std::move(greeting), start_);
}

void WorkerLane::Serve() {
  SteadyTime now = steady_clock::now();
  if (phase_ == Phase::kServing) {
    if (debts_.empty() && now >= next_test_) BeginTests(now);
    if (worker_ != nullptr) Fill(now);
    if (worker_ == nullptr) return;
  }
  if (Poll(NextEvent())) Receive();
  if (worker_ == nullptr) return;
  now = steady_clock::now();
  const auto hangs =
      std::find_if(debts_.begin(), debts_.end(), [&](const Debt& debt) { return debt.due <= now; });
  if (hangs == debts_.end()) return;
  const auto waited = duration_cast<milliseconds>(now - hangs->sent).count();
  Lose("hang", absl::StrCat("gave no answer for ", waited, " ms"), now);
}

SteadyTime WorkerLane::NextEvent() const {
  if (debts_.empty()) return next_test_;
  return std::min_element(debts_.begin(), debts_.end(),
                          [](const Debt& a, const Debt& b) { return a.due < b.due; })
      ->due;
}

bool WorkerLane::Poll(SteadyTime until) {
  std::array<pollfd, 4> files = {{{waker_.file(), POLLIN, 0},
                                  {worker_ == nullptr ? -1 : worker_->socket(), POLLIN, 0},
                                  {-1, POLLIN, 0},
                                  {-1, POLLIN, 0}}};
  if (worker_ != nullptr && reads_standard_error_) files[2].fd = worker_->standard_error();
  if (worker_ != nullptr) files[3].fd = worker_->administration_socket();
  const SteadyTime now = steady_clock::now();
  // Without a waker: look often.
  if (waker_.file() < 0) until = std::min(until, now + milliseconds(10));
  const auto rest = std::max<nanoseconds>(
      until == SteadyTime::max() ? milliseconds(1000) : until - now, nanoseconds(0));
  const timespec timeout = {rest.count() / 1'000'000'000, rest.count() % 1'000'000'000};
  if (ppoll(files.data(), files.size(), &timeout, nullptr) <= 0) return false;
  if (files[0].revents != 0) waker_.Clear();
  if (files[2].revents != 0) {
    const std::string lines = worker_->TakeStandardError();
    // Nobody holds the other end any more.
    if (lines.empty() && (files[2].revents & POLLIN) == 0) reads_standard_error_ = false;
    queue_.ReportLines(lines);
  }
  return files[1].revents != 0 || files[3].revents != 0;
}

CallQueue::Standing WorkerLane::StandingNow() const {
  CallQueue::Standing standing;
  standing.lists = !unfinished_.has_value();
  for (const Debt& debt : debts_) {
    if (debt.administers) {
      standing.administers = false;
      if (debt.work.calls[0]->request().has_generate()) ++standing.long_calls;
      continue;
    }
    ++standing.outstanding;
    if (debt.kind == Kind::kOther && debt.work.calls[0]->request().has_list()) {
      standing.lists = false;
    }
  }
  standing.others = standing.outstanding < options_.threads;
  return standing;
}

void WorkerLane::Fill(SteadyTime now) {
  // One more than can be worked at, so that no thread idles while a reply travels; but nothing may
  // wait behind what takes long.
  while (worker_ != nullptr) {
    const CallQueue::Standing standing = StandingNow();
    const int owed = standing.outstanding;
    // What has one thread for signatures may do one thing at a time (a TPM), and a signature that
    // waits behind a key that is made would be taken for hung.
    if (options_.threads == 1 && !standing.administers) return;
    const bool slow = std::any_of(debts_.begin(), debts_.end(), [](const Debt& debt) {
      return debt.kind == Kind::kOther && !debt.administers;
    });
    if (owed >= options_.threads + (slow ? 0 : 1)) return;
    const bool part = unfinished_.has_value() && standing.others;
    if (part && std::exchange(part_is_next_, false)) {
      if (!SendPart(now)) return;
      continue;
    }
    Debt debt;
    debt.work = queue_.Take(options_.index, standing, now);
    if (debt.work.worker_is_stale && owed == 0) {
      return Lose("", "sees a token or a login that is no more", now);
    }
    part_is_next_ = true;
    if (debt.work.calls.empty()) {
      if (debt.work.key != nullptr || part) continue;
      return;
    }
    debt.kind = debt.work.key == nullptr ? Kind::kOther : Kind::kSignatures;
    SetDue(debt, owed, now);
    if (debt.kind == Kind::kOther && debt.work.calls[0]->request().has_list()) {
      // Whatever another worker has answered of it is of no use.
      debt.work.calls[0]->request().mutable_list()->set_continues(false);
      so_far_.Clear();
    }
    if (!Send(std::move(debt), now)) return;
  }
}

void WorkerLane::SetDue(Debt& debt, int owed, SteadyTime now) const {
  const milliseconds hang = options_.remote.hang_timeout;
  debt.timeout = debt.kind == Kind::kOther ? debt.work.calls[0]->timeout() : hang;
  debt.administers = debt.kind == Kind::kOther && IsAdministrative(debt.work.calls[0]->request());
  if (!debt.administers) {
    debt.due = now + debt.timeout * (owed < options_.threads ? 1 : 2);
  } else {
    // Where one thing is done at a time, behind the signatures that are under way.
    debt.due = now + debt.timeout + hang * (options_.threads == 1 ? owed : 0);
  }
}

bool WorkerLane::SendPart(SteadyTime now) {
  Debt debt = *std::exchange(unfinished_, std::nullopt);
  // Nobody waits for the rest.
  if (debt.work.calls[0]->abandoned()) return true;
  debt.work.calls[0]->request().mutable_list()->set_continues(true);
  debt.due = now + debt.timeout * (debts_.empty() ? 1 : 2);
  return Send(std::move(debt), now);
}

// Other calls are sent as they came: what is secret in them is wiped with them.
keyholder::Request& WorkerLane::RequestOf(const Debt& debt) {
  if (debt.kind == Kind::kOther) return debt.work.calls[0]->request();
  if (debt.kind == Kind::kGreeting) {
    request_.mutable_greet();
    return request_;
  }
  const CustodialKey& key = debt.work.key->key;
  keyholder::SignBatch& batch = *request_.mutable_sign();
  batch.Clear();
  WriteSelector(key.selector, batch.mutable_key());
  batch.set_key_type(static_cast<int>(key.type));
  batch.set_public_key(key.public_key);
  for (const auto& call : debt.work.calls) {
    batch.add_digests(call->digest().data(), call->digest().size());
  }
  if (debt.kind == Kind::kTest) batch.add_digests(debt.test_digest);
  return request_;
}

bool WorkerLane::Send(Debt debt, SteadyTime now) {
  debt.id = ++last_id_;
  debt.sent = now;
  keyholder::Request& request = RequestOf(debt);
  request.set_id(debt.id);
  const WorkerProcess::Sent sent = worker_->Send(request);
  debts_.push_back(std::move(debt));
  if (sent == WorkerProcess::Sent::kYes) return true;
  // A worker that has no room for the few packets it is owed reads none of them.
  Lose("crash", "takes no requests", now);
  return false;
}

void WorkerLane::Receive() {
  absl::StatusOr<std::optional<Reply>> received = worker_->Receive();
  const SteadyTime now = steady_clock::now();
  if (!received.ok()) return Lose("crash", received.status().message(), now);
  if (!received->has_value()) return;
  Reply& reply = **received;
  const auto answered = std::find_if(debts_.begin(), debts_.end(),
                                     [&](const Debt& debt) { return debt.id == reply.id(); });
  if (answered == debts_.end()) return Lose("crash", "answered what it was not asked", now);
  Debt debt = std::move(*answered);
  debts_.erase(answered);
  // Whoever works at one thing after the other has begun the next just now.
  if (options_.threads == 1 && !debt.administers) {
    for (Debt& rest : debts_) {
      if (!rest.administers) rest.due = std::max<SteadyTime>(rest.due, now + rest.timeout);
    }
  }
  queue_.Count(options_.index, reply.counters());
  switch (debt.kind) {
    case Kind::kGreeting:
      return HandleGreeting(reply, now);
    case Kind::kTest:
      return HandleTest(std::move(debt), reply, now);
    case Kind::kSignatures:
      return HandleSignatures(std::move(debt), reply, now);
    case Kind::kOther:
      return HandleOther(std::move(debt), reply, now);
  }
}

void WorkerLane::HandleGreeting(const Reply& reply, SteadyTime now) {
  if (reply.has_failure()) {
    const absl::Status error = ReadFailure(reply.failure());
    if (WorkerRemedyFor(error) == WorkerRemedy::kNewPin) queue_.PinRefused("", stamp_, error, now);
    return Lose("", error.message(), now);
  }
  const int threads = options_.plan(ReadFacts(reply.facts()));
  if (threads != options_.threads) {
    options_.threads = threads;
    worker_.reset();
    return queue_.Retired(options_.index);
  }
  queue_.Greeted(options_.index, now);
  greeting_took_ = now - start_;
  phase_ = Phase::kTesting;
  BeginTests(now);
}

bool WorkerLane::TakeWhole(Debt& debt, const Reply& reply) {
  if (!IsWhole(reply, debt.work.calls.size())) return false;
  if (!reply.unfinished()) return true;
  const auto first = debt.work.calls.begin() + reply.signatures_size();
  queue_.PutBackUntouched({debt.work.key, {first, debt.work.calls.end()}});
  debt.work.calls.erase(first, debt.work.calls.end());
  return true;
}

void WorkerLane::HandleSignatures(Debt debt, Reply& reply, SteadyTime now) {
  const absl::Status failure =
      reply.has_failure() ? ReadFailure(reply.failure()) : absl::OkStatus();
  if (failure.ok() && !TakeWhole(debt, reply)) {
    queue_.PutBackAfterLoss(std::move(debt.work), "sent what is no reply", now);
    return Lose("crash", "sent what is no reply", now);
  }
  const std::size_t size = debt.work.calls.size();
  const nanoseconds took = now - std::max(debt.sent, std::exchange(last_reply_, now));
  CallQueue::Work again{debt.work.key, {}};
  absl::Status beyond_help;
  int signatures = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const std::shared_ptr<Call>& call = debt.work.calls[i];
    keyholder::Signature* answer =
        failure.ok() ? reply.mutable_signatures(static_cast<int>(i)) : nullptr;
    if (answer != nullptr && !answer->has_failure()) {
      ++signatures;
      call->AnswerSignature(std::move(*answer->mutable_octets()));
      continue;
    }
    const absl::Status error = answer == nullptr ? failure : ReadFailure(answer->failure());
    if (!Settle(debt.work.key, call, error, now)) continue;
    beyond_help = error;
    if (WorkerRemedyFor(error) != WorkerRemedy::kSecondOpinion) again.calls.push_back(call);
  }
  queue_.Signed(options_.index, *debt.work.key, signatures, took / static_cast<int>(size),
                EarliestOverdue());
  if (signatures > 0) next_test_ = now + kIdleBeforeTest;
  if (beyond_help.ok()) return;
  const bool refused = WorkerRemedyFor(beyond_help) == WorkerRemedy::kNewPin;
  if (refused) queue_.PinRefused("", StampOf(pin_source_), beyond_help, now);
  queue_.PutBackAfterLoss(std::move(again), beyond_help.message(), now);
  Lose("", beyond_help.message(), now);
}

// True where the worker is to be replaced over it.
bool WorkerLane::Settle(const std::shared_ptr<HeldKey>& key, const std::shared_ptr<Call>& call,
                        const absl::Status& error, SteadyTime now) {
  if (queue_.TellIfAiling(*key, *call, error, now)) return false;
  switch (WorkerRemedyFor(error)) {
    case WorkerRemedy::kNewPin:
      if (PinLogsIn()) return true;
      queue_.PinRefused(key->key.selector.label, StampOf(pin_source_), error, now);
      break;
    case WorkerRemedy::kNewWorker:
      return true;
    case WorkerRemedy::kSecondOpinion:
      return queue_.Doubt(key, call, start_, now);
    case WorkerRemedy::kNone:
      break;
  }
  call->AnswerError(error);
  return false;
}

void WorkerLane::HandleOther(Debt debt, Reply& reply, SteadyTime now) {
  const std::shared_ptr<Call>& call = debt.work.calls[0];
  if (!reply.has_failure() && call->request().has_list()) {
    return HandlePart(std::move(debt), reply, now);
  }
  if (!reply.has_failure()) return call->AnswerReply(std::move(reply));
  const absl::Status error = ReadFailure(reply.failure());
  const keyholder::Request& request = call->request();
  const ErrorReason reason = ReasonOf(error);
  const bool refused = reason == ErrorReason::kPinRefused && PinLogsIn();
  if (refused) queue_.PinRefused("", StampOf(pin_source_), error, now);
  if (refused || NeedsNewCustodian(error)) {
    queue_.PutBackAfterLoss(std::move(debt.work), error.message(), now);
    return Lose("", error.message(), now);
  }
  if (reason == ErrorReason::kPinRefused && request.has_unseal() &&
      request.unseal().recovery_code().empty()) {
    queue_.PinRefused(request.unseal().blob(), StampOf(pin_source_), error, now);
  }
  if (reason == ErrorReason::kKeyNotFound) {
    // The worker that was lost over this call may have destroyed the key before.
    if (request.has_destroy() && call->attempts > 0) return call->AnswerReply({});
    const std::optional<KeySelector> wanted = WantedKey(request);
    if (wanted.has_value() && queue_.DoubtOther(*wanted, call, now)) {
      return Lose("", error.message(), now);
    }
  }
  call->AnswerError(error);
}

void WorkerLane::HandlePart(Debt debt, const Reply& reply, SteadyTime now) {
  const std::shared_ptr<Call>& call = debt.work.calls[0];
  so_far_.mutable_listings()->MergeFrom(reply.listings());
  if (!reply.unfinished()) return call->AnswerReply(std::exchange(so_far_, {}));
  call->Extend(std::min<SteadyTime>(now + call->wait, call->asked + kLongestInParts));
  unfinished_ = std::move(debt);
}

bool WorkerLane::PinLogsIn() const { return std::holds_alternative<TokenUri>(options_.custodian); }

SteadyTime WorkerLane::EarliestOverdue() const {
  SteadyTime earliest = SteadyTime::max();
  for (const Debt& debt : debts_) {
    if (debt.kind == Kind::kSignatures) earliest = std::min(earliest, debt.work.overdue_at);
  }
  return earliest;
}

void WorkerLane::Lose(absl::string_view error_class, absl::string_view why, SteadyTime now) {
  const int pid = worker_->pid();
  const std::string ending = error_class == "hang" ? worker_->End(kGraceOfHanging) : worker_->End();
  queue_.ReportLines(worker_->TakeStandardError());
  worker_.reset();
  // A crash says most by its signal.
  const std::string cause = error_class == "crash" && absl::StartsWith(ending, "killed by SIGKILL")
                                ? absl::StrCat(ending, ": ", why)
                            : error_class == "crash" ? ending
                                                     : absl::StrCat("killed: ", why);
  queue_.Report(pid, cause);
  if (unfinished_.has_value()) debts_.push_back(*std::exchange(unfinished_, std::nullopt));
  for (Debt& debt : std::exchange(debts_, {})) {
    if (!debt.work.calls.empty()) queue_.PutBackAfterLoss(std::move(debt.work), cause, now);
  }
  to_test_.clear();
  if (phase_ != Phase::kServing && error_class == "hang") patience_.GaveUp();
  queue_.Lost(options_.index, error_class, absl::StrCat("a worker was ", cause),
              phase_ != Phase::kServing, now);
}

}  // namespace hourglass::hsm
