// Streams of requests for certificates.
#ifndef HOURGLASS_ISSUANCE_SERVICES_ISSUE_STREAM_H_
#define HOURGLASS_ISSUANCE_SERVICES_ISSUE_STREAM_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <unordered_set>

#include "hsm/base/mutex.h"
#include "issuance/calls/call_runner.h"
#include "issuance/services/issue_desk.h"

namespace hourglass::issuance {

// The open streams of v1::CertificateIssuer.IssueCertificates. Safe to call from several threads.
class IssueStreams {
 public:
  // Of messages as they are on the wire: one that cannot be read must not look like the end of the
  // caller's side, which is all that gRPC says of it to a stream of typed messages.
  using Reactor = grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>;

  // Requests of a stream that were read and whose answers have not gone out yet.
  static constexpr int kMaxUnderWay = 256;

  // Both must outlive this object, and that every stream.
  IssueStreams(CallRunner* calls, IssueDesk* desk) : calls_(calls), desk_(desk) {}
  IssueStreams(const IssueStreams&) = delete;
  IssueStreams& operator=(const IssueStreams&) = delete;

  // The stream keeps itself until it is done. It ends, when everything that was read has been
  // answered, with OK where the caller has ended its side; FIELD_INVALID after a message that is no
  // v1::IssueCertificateRequest; CallRunner::Identify, which is asked for each message; STOPPING.
  // The last two also before anything is read; so may OVERLOADED, where there are as many as
  // CallLimits has. While what the caller has under way in all its streams takes as many octets as
  // those have, a stream reads a message only when it has no other. Answers repeat a tenant id or
  // request id that is one, and no other text. A caller who cancels, or whose deadline passes, gets
  // no answers: what the lanes had begun is finished and journalled, the rest is not begun.
  Reactor* Open(grpc::CallbackServerContext* context);

  // Reads nothing more from any stream, and opens none: they end with STOPPING.
  void Stop();

 private:
  class Stream;

  bool Add(Stream* stream);
  void Remove(Stream* stream);

  CallRunner* const calls_;
  IssueDesk* const desk_;
  Mutex mutex_;
  std::unordered_set<Stream*> open_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVICES_ISSUE_STREAM_H_
