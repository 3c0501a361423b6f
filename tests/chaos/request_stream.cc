#include "tests/chaos/request_stream.h"

#include <cstdio>
#include <cstdlib>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "tests/history/expected_errors.h"
#include "tests/history/service/call_outcome.h"

namespace hourglass::chaos {
namespace {

// Of a request without an answer, by how its stream ended.
IssueOutcome OutcomeOfEnd(const grpc::Status& status) {
  if (status.ok()) return history::Unanswered{"OK", "the stream ended without an answer"};
  IssueOutcome outcome = history::OutcomeOf(status, v1::IssueCertificateResponse());
  const auto* const refused = std::get_if<history::Refused>(&outcome);
  // It is the stream's, and says nothing of the request, which may have been done.
  if (refused != nullptr && history::IsRetryable(*refused)) {
    return history::Unanswered{refused->code, refused->message};
  }
  return outcome;
}

}  // namespace

RequestStream::RequestStream(v1::CertificateIssuer::Stub& stub, Options options)
    : options_(std::move(options)) {
  context_.set_deadline(std::chrono::system_clock::now() + options_.deadline);
  stream_ = stub.IssueCertificates(&context_);
}

void RequestStream::Send(const std::string& request_id) {
  history::IssueCall& call = under_way_[request_id];
  call.request_id = request_id;
  options_.request.set_request_id(request_id);
  call.call = options_.recorder->Begin(options_.request.tenant_id(), options_.replica);
  stream_->Write(options_.request);
}

void RequestStream::EndRequests() { stream_->WritesDone(); }

void RequestStream::Cut() { context_.TryCancel(); }

std::optional<RequestStream::Answer> RequestStream::Receive() {
  v1::IssueCertificatesResponse response;
  while (stream_->Read(&response)) {
    auto asked = under_way_.extract(response.request_id());
    if (!asked.empty() && response.tenant_id() == options_.request.tenant_id()) {
      return Record(std::move(asked.mapped()), history::OutcomeOf(response));
    }
    fault_ = absl::StrCat("an answer for ", response.tenant_id(), " ", response.request_id(),
                          ", which is not under way");
  }
  return std::nullopt;
}

RequestStream::End RequestStream::Finish() {
  const grpc::Status status = stream_->Finish();
  End end;
  end.fault = std::move(fault_);
  if (status.ok() && !under_way_.empty()) {
    end.fault = absl::StrCat("a stream that ended with OK before ", under_way_.begin()->first,
                             " was answered");
  }
  for (auto& [request_id, call] : std::exchange(under_way_, {})) {
    end.unanswered.push_back(Record(std::move(call), OutcomeOfEnd(status)));
  }
  return end;
}

RequestStream::Answer RequestStream::Record(history::IssueCall call, IssueOutcome outcome) {
  Answer answer{call.request_id, outcome};
  call.outcome = std::move(outcome);
  const absl::Status written = options_.recorder->Write(std::move(call));
  if (written.ok()) return answer;
  std::fprintf(stderr, "%s\n", std::string(written.message()).c_str());
  std::abort();
}

}  // namespace hourglass::chaos
