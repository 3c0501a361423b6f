#include "tests/chaos/stream_broker.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/chaos/verdict.h"

namespace hourglass::chaos {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::chrono::seconds kStreamDeadline(5);
constexpr std::size_t kUnderWay = 8;
constexpr int kMostOfAStream = 40;
constexpr double kCut = 0.3;
constexpr double kAgainLater = 0.1;
constexpr std::size_t kRemembered = 50;
// As Broker's.
constexpr std::chrono::minutes kLater(1);

v1::IssueCertificateRequest OfTenant(v1::IssueCertificateRequest request,
                                     const std::string& tenant_id) {
  request.set_tenant_id(tenant_id);
  return request;
}

}  // namespace

StreamBroker::StreamBroker(Broker::Options options)
    : options_(std::move(options)),
      chance_(options_.seed, 0),
      connections_(options_.cell, kWideBroker) {}

void StreamBroker::Run(Ending& ending) {
  // Its own pace, which nothing hurries: the end has to wait for it.
  Ending pause;
  while (!ending.HasBegun() || !wishes_.empty()) {
    RunStream(ending);
    pause.Await(chance_.Between(milliseconds(10), milliseconds(100)));
  }
}

void StreamBroker::RunStream(Ending& ending) {
  // Another one than the last: that one may have had what is asked for again.
  replica_ = (replica_ + 1 + chance_.Below(kReplicas - 1)) % kReplicas;
  const auto stub = v1::CertificateIssuer::NewStub(connections_.To(replica_));
  RequestStream stream(*stub, {OfTenant(options_.request, options_.tenant_id),
                               connections_.NameOf(replica_), options_.recorder, kStreamDeadline});
  ++streams_;
  int share = 1 + chance_.Below(kMostOfAStream);
  // After so many answers it is cut.
  std::optional<int> cut;
  if (chance_.In(kCut)) cut = chance_.Below(share);
  bool has_ended = false;
  for (int answers = 0;; ++answers) {
    if (!has_ended) Fill(stream, share, ending);
    if (!has_ended && (share == 0 || stream.under_way() == 0)) {
      stream.EndRequests();
      has_ended = true;
    }
    if (cut == answers) stream.Cut();
    const std::optional<RequestStream::Answer> answer = stream.Receive();
    if (!answer.has_value()) break;
    Take(*answer);
  }
  const RequestStream::End end = stream.Finish();
  if (!end.unanswered.empty()) ++broken_streams_;
  for (const RequestStream::Answer& unanswered : end.unanswered) Take(unanswered);
  if (!end.fault.empty()) Lose(end.fault);
}

void StreamBroker::Fill(RequestStream& stream, int& share, Ending& ending) {
  if (stream.under_way() > kUnderWay / 2) return;
  ending.Await(chance_.Between(milliseconds(5), milliseconds(100)));
  while (share > 0 && stream.under_way() < kUnderWay) {
    if (wishes_.empty() && ending.HasBegun()) return;
    Wish wish = NextWish();
    --share;
    stream.Send(wish.request_id);
    asked_[wish.request_id] = std::move(wish);
  }
}

StreamBroker::Wish StreamBroker::NextWish() {
  const auto now = steady_clock::now();
  if (!wishes_.empty()) {
    Wish wish = std::move(wishes_.front());
    wishes_.pop_front();
    return wish;
  }
  while (!answered_.empty() && now - answered_.front().since > kLater) answered_.pop_front();
  if (!answered_.empty() && chance_.In(kAgainLater)) {
    Wish wish = std::move(answered_.front());
    answered_.pop_front();
    return wish;
  }
  return {absl::StrCat(options_.name, "-", ++named_), now};
}

void StreamBroker::Take(const RequestStream::Answer& answer) {
  Wish wish = std::move(asked_.extract(answer.request_id).mapped());
  // What it was answered with is for the judge.
  if (wish.is_again) return;
  const auto now = steady_clock::now();
  std::string failure;
  const Verdict verdict = VerdictOf({answer.outcome}, failure);
  if (verdict == Verdict::kReceived) {
    times_.push_back(std::chrono::duration_cast<std::chrono::microseconds>(now - wish.since));
    answered_.push_back({std::move(wish.request_id), now, true});
    if (answered_.size() > kRemembered) answered_.pop_front();
    return;
  }
  if (verdict == Verdict::kLost || now - wish.since > options_.patience) {
    Lose(absl::StrCat(wish.request_id, ": ", failure));
    return;
  }
  if (verdict == Verdict::kAskAnew) wish.request_id = absl::StrCat(options_.name, "-", ++named_);
  wishes_.push_back(std::move(wish));
}

void StreamBroker::Lose(std::string failure) {
  ++lost_;
  last_failure_ = std::move(failure);
}

}  // namespace hourglass::chaos
