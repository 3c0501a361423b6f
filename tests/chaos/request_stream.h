// A stream of IssueCertificates whose requests are recorded as so many calls.
#ifndef HOURGLASS_TESTS_CHAOS_REQUEST_STREAM_H_
#define HOURGLASS_TESTS_CHAOS_REQUEST_STREAM_H_

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hourglass/v1/issuance.grpc.pb.h"
#include "tests/chaos/verdict.h"
#include "tests/history/history.h"
#include "tests/history/recorder.h"

namespace hourglass::chaos {

// Each request is in the client's log once, whatever becomes of the stream. For one thread.
class RequestStream {
 public:
  struct Options {
    v1::IssueCertificateRequest request;  // of all, but for the request id
    std::string replica;                  // as history::Call has it
    history::Recorder* recorder = nullptr;
    // Of the whole stream, from its beginning.
    std::chrono::milliseconds deadline{0};
  };
  struct Answer {
    std::string request_id;
    IssueOutcome outcome;
  };
  struct End {
    // Recorded as Unanswered; but where the service ended the stream with an error that does not go
    // away, with that one.
    std::vector<Answer> unanswered;
    // What the service must never do with a stream, for people; empty where it did not.
    std::string fault;
  };

  // `stub` must outlive the stream.
  RequestStream(v1::CertificateIssuer::Stub& stub, Options options);

  // A request id that is under way is not asked for a second time. What cannot be sent, since the
  // stream is over, is unanswered like the others.
  void Send(const std::string& request_id);
  // No more requests come: the stream ends when all are answered.
  void EndRequests();
  // Ends the stream here and now, as a client that is gone would.
  void Cut();
  // Waits for the next answer; nothing where the stream is over.
  std::optional<Answer> Receive();
  // Once Receive returned nothing: to be called before the stream's end as an object, once.
  End Finish();

  // How many requests have no answer yet.
  std::size_t under_way() const { return under_way_.size(); }

 private:
  // Ends the process where the log cannot be written: nobody would know of what is done then.
  Answer Record(history::IssueCall call, IssueOutcome outcome);

  Options options_;
  grpc::ClientContext context_;
  std::unique_ptr<
      grpc::ClientReaderWriter<v1::IssueCertificateRequest, v1::IssueCertificatesResponse>>
      stream_;
  std::map<std::string, history::IssueCall> under_way_;  // by request id
  std::string fault_;
};

}  // namespace hourglass::chaos

#endif  // HOURGLASS_TESTS_CHAOS_REQUEST_STREAM_H_
