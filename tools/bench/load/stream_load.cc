#include "tools/bench/load/stream_load.h"

#include <grpcpp/support/proto_buffer_reader.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "hourglass/v1/issuance.pb.h"

namespace hourglass::bench {
namespace {

constexpr char kMethod[] = "/hourglass.v1.CertificateIssuer/IssueCertificates";

}  // namespace

// Lives on the operations' thread from the constructor's end to the destructor.
class StreamLoad::Stream {
 public:
  Stream(StreamLoad* load, BrokerConnection* connection, int outstanding, std::size_t first_request)
      : load_(*load), next_request_(first_request), outstanding_(outstanding) {
    call_ = connection->stub.PrepareCall(&context_, kMethod, &load_.operations_->queue());
    call_->StartCall(&started_);
  }

  // Waits for the answers, and for the stream's end.
  ~Stream() {
    std::unique_lock lock(mutex_);
    if (!ended_.wait_for(lock, kLoadDeadline, [this] { return is_over_; })) context_.TryCancel();
    ended_.wait(lock, [this] { return is_over_; });
  }

 private:
  // A tag that calls one of this stream's functions.
  struct Step final : Operation {
    Step(Stream* stream, void (Stream::*done)(bool)) : stream(stream), done(done) {}
    void Done(bool ok) override { (stream->*done)(ok); }

    Stream* stream;
    void (Stream::*done)(bool);
  };
  struct Asked {
    std::size_t request;
    LoadClock::time_point intended, sent;
  };

  void Started(bool ok) {
    if (ok) {
      due_.assign(static_cast<std::size_t>(outstanding_), LoadClock::now());
      WriteNext();
    }
    // Without a stream this fails at once, and so ends it.
    call_->Read(&answer_, &read_);
  }

  void WriteNext() {
    if (is_writing_ || has_ended_writing_) return;
    is_writing_ = !due_.empty() || load_.stopping_;
    if (!due_.empty()) {
      WriteRequest();
    } else if (load_.stopping_) {
      has_ended_writing_ = true;
      call_->WritesDone(&written_);
    }
  }

  void WriteRequest() {
    const std::string id = ids_.Next();
    const std::size_t request = next_request_++ % load_.pool_.size();
    under_way_[id] = {request, due_.front(), LoadClock::now()};
    load_.tally_.Sent(due_.front());
    due_.pop_front();
    // Requests that are due together go out together.
    grpc::WriteOptions options;
    if (!due_.empty()) options.set_buffer_hint();
    call_->Write(Serialized(load_.pool_[request], id), options, &written_);
  }

  void Written(bool ok) {
    is_writing_ = false;
    if (ok) WriteNext();
    EndIfOver();
  }

  void Read(bool ok) {
    if (!ok) {
      call_->Finish(&status_, &finished_);
      return;
    }
    grpc::ProtoBufferReader reader(&answer_);
    if (response_.ParseFromZeroCopyStream(&reader)) {
      Answered();
    } else {
      load_.tally_.Broken("ANSWER_MALFORMED");
    }
    if (!load_.stopping_) due_.push_back(LoadClock::now());
    WriteNext();
    call_->Read(&answer_, &read_);
  }

  void Answered() {
    const auto asked = under_way_.find(response_.request_id());
    if (asked == under_way_.end()) {
      load_.tally_.Broken("ANSWER_TO_NO_REQUEST");
      return;
    }
    const Asked about = asked->second;
    under_way_.erase(asked);
    if (response_.has_issued()) {
      load_.tally_.Issued(about.intended, about.sent, [&] {
        return SampledAnswer{about.request, response_.issued().SerializeAsString()};
      });
      return;
    }
    const v1::RpcStatus& refused = response_.refused();
    load_.tally_.Failed(about.intended,
                        ReasonText(grpc::Status(static_cast<grpc::StatusCode>(refused.code()),
                                                refused.message(), refused.SerializeAsString())));
  }

  void Finished(bool) {
    if (!status_.ok()) load_.tally_.Broken(ReasonText(status_));
    if (status_.ok() && !under_way_.empty()) load_.tally_.Broken("STREAM_ENDED_EARLY");
    has_finished_ = true;
    EndIfOver();
  }

  // No tag may be under way when this object goes.
  void EndIfOver() {
    if (!has_finished_ || is_writing_) return;
    const std::lock_guard lock(mutex_);
    is_over_ = true;
    ended_.notify_all();
  }

  StreamLoad& load_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> call_;
  RequestIds ids_;
  std::size_t next_request_;
  const int outstanding_;
  std::deque<LoadClock::time_point> due_;  // requests to write
  std::map<std::string, Asked> under_way_;
  bool is_writing_ = false;
  bool has_ended_writing_ = false;
  bool has_finished_ = false;
  grpc::ByteBuffer answer_;
  v1::IssueCertificatesResponse response_;
  grpc::Status status_;
  Step started_{this, &Stream::Started};
  Step written_{this, &Stream::Written};
  Step read_{this, &Stream::Read};
  Step finished_{this, &Stream::Finished};

  std::mutex mutex_;
  std::condition_variable ended_;
  bool is_over_ = false;  // guarded by mutex_
};

StreamLoad::StreamLoad(const PreparedRequests& pool, const LoadOptions& options,
                       std::vector<std::unique_ptr<BrokerConnection>> connections)
    : LoadGenerator(LoadTally::Membership::kByAnswer, options),
      pool_(pool),
      connections_(std::move(connections)),
      operations_(std::make_unique<OperationThread>(options.niceness)) {
  const int streams = static_cast<int>(connections_.size());
  const int outstanding = std::get<ClosedLoop>(options.arrivals).outstanding;
  for (int i = 0; i < streams; ++i) {
    const int share = outstanding / streams + (i < outstanding % streams ? 1 : 0);
    // Each begins elsewhere in the pool, or all would ask for the same at once.
    const std::size_t first = pool.size() * static_cast<std::size_t>(i) / connections_.size();
    streams_.push_back(std::make_unique<Stream>(this,
                                                connections_[static_cast<std::size_t>(i)].get(),
                                                std::clamp(share, 1, kMaxUnderWayInStream), first));
  }
}

StreamLoad::~StreamLoad() {
  stopping_ = true;
  streams_.clear();
  operations_.reset();
}

}  // namespace hourglass::bench
