#include "hsm/keyholder/worker_link.h"

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

// However long its parts keep coming.
constexpr std::chrono::minutes kLongestInParts(10);

// What hangs will hardly end by itself, and calls wait for its successor.
constexpr milliseconds kGraceOfHanging(250);

std::optional<PinSource> PinSourceOf(const std::variant<TokenUri, TpmConnection>& custodian) {
  if (const auto* token = std::get_if<TokenUri>(&custodian)) return token->pin_source;
  return std::get<TpmConnection>(custodian).pin_source;
}

}  // namespace

WorkerLink::WorkerLink(Options options, CallQueue* queue)
    : options_(std::move(options)),
      queue_(*queue),
      waker_(queue_.AddLink()),
      pin_source_(PinSourceOf(options_.custodian)),
      thread_([this] { Run(); }) {}

WorkerLink::~WorkerLink() { thread_.join(); }

void WorkerLink::Run() {
  while (!queue_.stopped()) {
    if (worker_ == nullptr) {
      Start();
    } else {
      Serve();
    }
  }
  if (unfinished_.has_value()) owed_.Add(*std::move(unfinished_));
  for (Debt& debt : owed_.TakeAll()) {
    queue_.PutBackAfterLoss(std::move(debt.work), "", steady_clock::now());
  }
  worker_.reset();
}

void WorkerLink::Start() {
  stamp_ = StampOf(pin_source_);
  start_ = steady_clock::now();
  const StartGate::Permit permit = queue_.AskToStart(options_.index, stamp_, start_);
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
  greeting.kind = Debt::Kind::kGreeting;
  greeting.due = start_ + patience_.For(greeting_took_, options_.remote.start_timeout);
  Send(std::move(greeting), start_);
}

void WorkerLink::Serve() {
  SteadyTime now = steady_clock::now();
  if (phase_ == Phase::kServing) {
    if (owed_.empty() && now >= next_test_) BeginTests(now);
    if (worker_ != nullptr) Fill(now);
    if (worker_ == nullptr) return;
  }
  if (Poll(NextEvent())) Receive();
  if (worker_ == nullptr) return;
  now = steady_clock::now();
  const Debt* first = owed_.DueFirst();
  if (first == nullptr || first->due > now) return;
  const auto waited = duration_cast<milliseconds>(now - first->sent).count();
  Lose("hang", absl::StrCat("gave no answer for ", waited, " ms"), now);
}

SteadyTime WorkerLink::NextEvent() const {
  const Debt* first = owed_.DueFirst();
  return first == nullptr ? next_test_ : first->due;
}

bool WorkerLink::Poll(SteadyTime until) {
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

CallQueue::Standing WorkerLink::StandingNow() const {
  CallQueue::Standing standing = owed_.Standing(options_.threads);
  if (unfinished_.has_value()) standing.lists = false;
  return standing;
}

bool WorkerLink::HasRoom(const CallQueue::Standing& standing) const {
  // What has one thread for signatures may do one thing at a time (a TPM), and a signature that
  // waits behind a key that is made would be taken for hung.
  if (options_.threads == 1 && !standing.administers) return false;
  // One more than can be worked at, so that no thread idles while a reply travels; but nothing may
  // wait behind what takes long.
  return standing.outstanding < options_.threads + (owed_.HasSlowOne() ? 0 : 1);
}

void WorkerLink::Fill(SteadyTime now) {
  while (worker_ != nullptr) {
    const CallQueue::Standing standing = StandingNow();
    if (!HasRoom(standing)) return;
    const bool part_waits = unfinished_.has_value() && standing.others;
    const bool sends_part = part_waits && std::exchange(part_is_next_, false);
    if (!(sends_part ? SendPart(now) : SendCalls(standing, part_waits, now))) return;
  }
}

bool WorkerLink::SendCalls(const CallQueue::Standing& standing, bool part_waits, SteadyTime now) {
  CallQueue::Given given = queue_.Take(options_.index, standing, now);
  if (given.worker_is_stale && standing.outstanding == 0) {
    Lose("", "sees a token or a login that is no more", now);
    return false;
  }
  Debt debt;
  debt.work = std::move(given.work);
  part_is_next_ = true;
  if (debt.work.calls.empty()) return debt.work.key != nullptr || part_waits;
  debt.kind = debt.work.key == nullptr ? Debt::Kind::kOther : Debt::Kind::kSignatures;
  SetDue(debt, standing.outstanding, now);
  if (IsList(debt)) {
    // Whatever another worker has answered of it is of no use.
    debt.work.calls[0]->request().mutable_list()->set_continues(false);
    so_far_.Clear();
  }
  return Send(std::move(debt), now);
}

void WorkerLink::SetDue(Debt& debt, int owed, SteadyTime now) const {
  const milliseconds hang = options_.remote.hang_timeout;
  debt.timeout = debt.kind == Debt::Kind::kOther ? debt.work.calls[0]->timeout() : hang;
  debt.administers =
      debt.kind == Debt::Kind::kOther && IsAdministrative(debt.work.calls[0]->request());
  if (!debt.administers) {
    debt.due = now + debt.timeout * (owed < options_.threads ? 1 : 2);
  } else {
    // Where one thing is done at a time, behind the signatures that are under way.
    debt.due = now + debt.timeout + hang * (options_.threads == 1 ? owed : 0);
  }
}

bool WorkerLink::SendPart(SteadyTime now) {
  Debt debt = *std::exchange(unfinished_, std::nullopt);
  // Nobody waits for the rest.
  if (debt.work.calls[0]->abandoned()) return true;
  debt.work.calls[0]->request().mutable_list()->set_continues(true);
  debt.due = now + debt.timeout * (owed_.empty() ? 1 : 2);
  return Send(std::move(debt), now);
}

// Other calls are sent as they came: what is secret in them is wiped with them.
keyholder::Request& WorkerLink::RequestOf(const Debt& debt) {
  if (debt.kind == Debt::Kind::kOther) return debt.work.calls[0]->request();
  if (debt.kind == Debt::Kind::kGreeting) {
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
  if (debt.kind == Debt::Kind::kTest) batch.add_digests(debt.test_digest);
  return request_;
}

bool WorkerLink::Send(Debt debt, SteadyTime now) {
  debt.id = ++last_id_;
  debt.sent = now;
  keyholder::Request& request = RequestOf(debt);
  request.set_id(debt.id);
  const WorkerProcess::Sent sent = worker_->Send(request);
  owed_.Add(std::move(debt));
  if (sent == WorkerProcess::Sent::kYes) return true;
  // A worker that has no room for the few packets it is owed reads none of them.
  Lose("crash", "takes no requests", now);
  return false;
}

void WorkerLink::Receive() {
  absl::StatusOr<std::optional<Reply>> received = worker_->Receive();
  const SteadyTime now = steady_clock::now();
  if (!received.ok()) return Lose("crash", received.status().message(), now);
  if (!received->has_value()) return;
  Reply& reply = **received;
  std::optional<Debt> answered = owed_.Take(reply.id());
  if (!answered.has_value()) return Lose("crash", "answered what it was not asked", now);
  Debt debt = *std::move(answered);
  if (options_.threads == 1 && !debt.administers) owed_.BeginNext(now);
  queue_.Count(options_.index, reply.counters());
  switch (debt.kind) {
    case Debt::Kind::kGreeting:
      return HandleGreeting(reply, now);
    case Debt::Kind::kTest:
      return HandleTest(debt, reply, now);
    case Debt::Kind::kSignatures:
      return HandleSignatures(std::move(debt), reply, now);
    case Debt::Kind::kOther:
      return HandleOther(std::move(debt), reply, now);
  }
}

void WorkerLink::HandleGreeting(const Reply& reply, SteadyTime now) {
  if (reply.has_failure()) {
    const absl::Status error = ReadFailure(reply.failure());
    if (WorkerRemedyFor(error) == WorkerRemedy::kNewPin) queue_.LoginRefused(stamp_, error, now);
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

bool WorkerLink::TakeWhole(Debt& debt, const Reply& reply) {
  if (!IsWhole(debt, reply)) return false;
  if (!reply.unfinished()) return true;
  const auto first = debt.work.calls.begin() + reply.signatures_size();
  queue_.PutBackUntouched({debt.work.key, {first, debt.work.calls.end()}});
  debt.work.calls.erase(first, debt.work.calls.end());
  return true;
}

void WorkerLink::HandleSignatures(Debt debt, Reply& reply, SteadyTime now) {
  const absl::Status failure =
      reply.has_failure() ? ReadFailure(reply.failure()) : absl::OkStatus();
  if (failure.ok() && !TakeWhole(debt, reply)) {
    queue_.PutBackAfterLoss(std::move(debt.work), "sent what is no reply", now);
    return Lose("crash", "sent what is no reply", now);
  }
  const std::size_t size = debt.work.calls.size();
  const nanoseconds took = now - std::max(debt.sent, std::exchange(last_reply_, now));
  CallQueue::Signatures signatures{
      start_, {}, took / static_cast<int>(size), owed_.SignaturesOverdueAt()};
  signatures.answers.reserve(size);
  for (std::size_t i = 0; i < size; ++i) {
    if (!failure.ok()) {
      signatures.answers.emplace_back(failure);
      continue;
    }
    keyholder::Signature& answer = *reply.mutable_signatures(static_cast<int>(i));
    if (answer.has_failure()) {
      signatures.answers.emplace_back(ReadFailure(answer.failure()));
    } else {
      next_test_ = now + kIdleBeforeTest;
      signatures.answers.emplace_back(std::move(*answer.mutable_octets()));
    }
  }
  LoseWhere(queue_.Signed(options_.index, std::move(debt.work), std::move(signatures), now), now);
}

void WorkerLink::HandleOther(Debt debt, Reply& reply, SteadyTime now) {
  const std::shared_ptr<Call>& call = debt.work.calls[0];
  if (reply.has_failure()) {
    const absl::Status error = ReadFailure(reply.failure());
    return LoseWhere(queue_.OtherFailed(std::move(debt.work), error, now), now);
  }
  if (call->request().has_list()) return HandlePart(std::move(debt), reply, now);
  call->AnswerReply(std::move(reply));
}

void WorkerLink::HandlePart(Debt debt, const Reply& reply, SteadyTime now) {
  const std::shared_ptr<Call>& call = debt.work.calls[0];
  so_far_.mutable_listings()->MergeFrom(reply.listings());
  if (!reply.unfinished()) return call->AnswerReply(std::exchange(so_far_, {}));
  call->Extend(std::min<SteadyTime>(now + call->wait, call->asked + kLongestInParts));
  unfinished_ = std::move(debt);
}

void WorkerLink::LoseWhere(const absl::Status& replaced_over, SteadyTime now) {
  if (!replaced_over.ok()) Lose("", replaced_over.message(), now);
}

void WorkerLink::Lose(absl::string_view error_class, absl::string_view why, SteadyTime now) {
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
  if (unfinished_.has_value()) owed_.Add(*std::exchange(unfinished_, std::nullopt));
  for (Debt& debt : owed_.TakeAll()) {
    if (!debt.work.calls.empty()) queue_.PutBackAfterLoss(std::move(debt.work), cause, now);
  }
  to_test_.clear();
  if (phase_ != Phase::kServing && error_class == "hang") patience_.GaveUp();
  queue_.Lost(options_.index, error_class, absl::StrCat("a worker was ", cause),
              phase_ != Phase::kServing, now);
}

}  // namespace hourglass::hsm
