#include "tests/chaos/broker.h"

#include <cstdio>
#include <cstdlib>
#include <future>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/history/service/call_outcome.h"

namespace hourglass::chaos {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::chrono::seconds kCallDeadline(4);
constexpr double kTwiceAtOnce = 0.15;
constexpr double kAgainLater = 0.1;
constexpr std::size_t kRemembered = 50;
// Well before a certificate ends, since then its request id is used up.
constexpr std::chrono::minutes kLater(1);

}  // namespace

Broker::Broker(Options options)
    : options_(std::move(options)),
      chance_(options_.seed, 0),
      connections_(options_.cell, kWideBroker) {
  options_.request.set_tenant_id(options_.tenant_id);
}

void Broker::Run(Ending& ending) {
  while (!ending.HasBegun()) {
    Ask([this] { return AskSome(); });
    if (chance_.In(kAgainLater)) AskAgainForOneOfThePast();
    ending.Await(chance_.Between(milliseconds(5), milliseconds(60)));
  }
}

void Broker::NameRequest() {
  options_.request.set_request_id(absl::StrCat(options_.name, "-", ++named_));
}

bool Broker::IsServedBy(int replica) {
  const auto stub = v1::CertificateIssuer::NewStub(connections_.To(replica));
  return Ask(
      [&]() -> std::vector<IssueOutcome> { return {Call(*stub, connections_.NameOf(replica))}; });
}

template <typename AskOnce>
bool Broker::Ask(const AskOnce& ask) {
  const auto began = steady_clock::now();
  NameRequest();
  // Its own pace, which nothing hurries: the end has to wait for it.
  Ending pause;
  std::string failure;
  for (;;) {
    const Verdict verdict = VerdictOf(ask(), failure);
    const auto now = steady_clock::now();
    if (verdict == Verdict::kReceived) {
      times_.push_back(std::chrono::duration_cast<std::chrono::microseconds>(now - began));
      answered_.push_back({options_.request.request_id(), now});
      if (answered_.size() > kRemembered) answered_.pop_front();
      return true;
    }
    if (verdict == Verdict::kLost || now - began > options_.patience) {
      ++lost_;
      last_failure_ = absl::StrCat(options_.request.request_id(), ": ", failure);
      return false;
    }
    if (verdict == Verdict::kAskAnew) NameRequest();
    pause.Await(chance_.Between(milliseconds(10), milliseconds(100)));
  }
}

std::vector<IssueOutcome> Broker::AskSome() {
  const int replica = chance_.Below(kReplicas);
  const auto stub = v1::CertificateIssuer::NewStub(connections_.To(replica));
  if (!chance_.In(kTwiceAtOnce)) return {Call(*stub, connections_.NameOf(replica))};
  const int other = (replica + 1 + chance_.Below(kReplicas - 1)) % kReplicas;
  const auto other_stub = v1::CertificateIssuer::NewStub(connections_.To(other));
  std::future<IssueOutcome> second =
      std::async(std::launch::async, [&] { return Call(*other_stub, connections_.NameOf(other)); });
  IssueOutcome first = Call(*stub, connections_.NameOf(replica));
  return {std::move(first), second.get()};
}

IssueOutcome Broker::Call(Stub& stub, const std::string& replica) const {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kCallDeadline);
  v1::IssueCertificateResponse response;
  history::IssueCall call;
  call.request_id = options_.request.request_id();
  call.call = options_.recorder->Begin(options_.tenant_id, replica);
  const grpc::Status status = stub.IssueCertificate(&context, options_.request, &response);
  call.outcome = history::OutcomeOf(status, response);
  IssueOutcome outcome = call.outcome;
  const absl::Status written = options_.recorder->Write(std::move(call));
  if (written.ok()) return outcome;
  std::fprintf(stderr, "%s\n", std::string(written.message()).c_str());
  std::abort();
}

void Broker::AskAgainForOneOfThePast() {
  while (!answered_.empty() && steady_clock::now() - answered_.front().at > kLater) {
    answered_.pop_front();
  }
  if (answered_.empty()) return;
  const int one = chance_.Below(static_cast<int>(answered_.size()));
  options_.request.set_request_id(answered_[static_cast<std::size_t>(one)].request_id);
  AskSome();
}

}  // namespace hourglass::chaos
