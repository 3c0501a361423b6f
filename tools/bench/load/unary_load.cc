#include "tools/bench/load/unary_load.h"

#include <sys/prctl.h>

#include <cmath>
#include <optional>
#include <utility>

namespace hourglass::bench {
namespace {

constexpr char kMethod[] = "/hourglass.v1.CertificateIssuer/IssueCertificate";
// An open loop beyond what the service can do must not fill this machine's memory.
constexpr std::size_t kMaxUnderWay = 50'000;
// A closed loop that meets nothing but errors would only turn as fast as it can.
constexpr int kMaxErrorsInARow = 100;

}  // namespace

class UnaryLoad::Call final : public Operation {
 public:
  explicit Call(UnaryLoad* load) : load_(*load) {}

  // On a connection of its own to `target` where it is given none.
  void Send(std::size_t request, const std::string& request_id, BrokerConnection* connection,
            const LoadTarget& target, LoadClock::time_point intended) {
    request_ = request;
    intended_ = intended;
    sent_ = LoadClock::now();
    asked_again_ = false;
    if (connection == nullptr) {
      own_connection_ = std::make_unique<BrokerConnection>(target);
      connection = own_connection_.get();
    }
    connection_ = connection;
    load_.tally_.Sent(intended);
    Start(request_id);
  }

  void Done(bool) override {
    if (status_.ok()) {
      errors_in_a_row_ = 0;
      load_.tally_.Issued(intended_, sent_, [this] { return Answer(); });
    } else {
      const std::string reason = ReasonText(status_);
      if (load_.options_.asks_again && !asked_again_ && reason == kPrimaryChanged) {
        AskAgain();
        return;
      }
      ++errors_in_a_row_;
      load_.tally_.Failed(intended_, reason);
    }
    response_.Clear();
    reader_.reset();
    own_connection_.reset();
    load_.Ended(*this);
  }

  bool GaveUp() const { return errors_in_a_row_ >= kMaxErrorsInARow; }

 private:
  void Start(const std::string& request_id) {
    context_.emplace();
    context_->set_deadline(std::chrono::system_clock::now() + kLoadDeadline);
    reader_ = connection_->stub.PrepareUnaryCall(&*context_, kMethod,
                                                 Serialized(load_.pool_[request_], request_id),
                                                 &load_.operations_->queue());
    reader_->StartCall();
    reader_->Finish(&response_, &status_, this);
  }

  void AskAgain() {
    asked_again_ = true;
    load_.tally_.AskedAgain(intended_);
    response_.Clear();
    // Before the context that it refers to.
    reader_.reset();
    Start(load_.NextId());
  }

  SampledAnswer Answer() {
    grpc::Slice whole;
    // What cannot be read is no IssueCertificateResponse.
    if (!response_.DumpToSingleSlice(&whole).ok()) return {request_, ""};
    return {request_, std::string(whole.begin(), whole.end())};
  }

  UnaryLoad& load_;
  std::unique_ptr<BrokerConnection> own_connection_;
  BrokerConnection* connection_ = nullptr;  // of the present request
  std::optional<grpc::ClientContext> context_;
  std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader_;
  grpc::ByteBuffer response_;
  grpc::Status status_;
  std::size_t request_ = 0;
  LoadClock::time_point intended_, sent_;
  bool asked_again_ = false;
  int errors_in_a_row_ = 0;
};

UnaryLoad::UnaryLoad(std::vector<LoadTarget> targets, const PreparedRequests& pool,
                     const LoadOptions& options,
                     std::vector<std::unique_ptr<BrokerConnection>> connections)
    : LoadGenerator(std::holds_alternative<ClosedLoop>(options.arrivals)
                        ? LoadTally::Membership::kByAnswer
                        : LoadTally::Membership::kByIntention,
                    options),
      targets_(std::move(targets)),
      pool_(pool),
      options_(options),
      connections_(std::move(connections)),
      operations_(std::make_unique<OperationThread>(options.niceness)) {
  if (const auto* open = std::get_if<OpenLoop>(&options_.arrivals)) {
    tally_.SentUntil(LoadClock::now());
    sender_ = std::thread([this, loop = *open] { SendWhenDue(loop); });
    return;
  }
  for (int i = 0; i < std::get<ClosedLoop>(options_.arrivals).outstanding; ++i) {
    Send(*FreeCall(), LoadClock::now());
  }
}

UnaryLoad::~UnaryLoad() {
  stopping_ = true;
  if (sender_.joinable()) sender_.join();
  {
    std::unique_lock lock(mutex_);
    idle_.wait(lock, [this] { return under_way_ == 0; });
  }
  operations_.reset();
}

void UnaryLoad::SendWhenDue(const OpenLoop& loop) {
  BeNice(options_.niceness);
  // The kernel's default lets sleeps take 50 us longer, which would be counted as latency.
  (void)prctl(PR_SET_TIMERSLACK, 1000, 0, 0, 0);
  std::mt19937_64 random{std::random_device()()};
  std::exponential_distribution<double> gap(loop.per_second);
  LoadClock::time_point due = LoadClock::now();
  while (!stopping_) {
    due += std::chrono::duration_cast<LoadClock::duration>(
        std::chrono::duration<double>(loop.poisson ? gap(random) : 1 / loop.per_second));
    // Not beyond a tenth of a second, so that a slow loop stops soon, too.
    while (!stopping_ && due > LoadClock::now()) {
      std::this_thread::sleep_until(
          std::min(due, LoadClock::now() + std::chrono::milliseconds(100)));
    }
    if (stopping_) break;
    if (Call* call = FreeCall(); call != nullptr) {
      Send(*call, due);
    } else {
      tally_.Sent(due);
      tally_.Failed(due, kTooManyUnderWay);
    }
    tally_.SentUntil(due);
  }
  tally_.SentUntil(LoadClock::time_point::max());
}

UnaryLoad::Call* UnaryLoad::FreeCall() {
  const std::lock_guard lock(mutex_);
  if (free_.empty()) {
    if (calls_.size() == kMaxUnderWay) return nullptr;
    calls_.push_back(std::make_unique<Call>(this));
    free_.push_back(calls_.back().get());
  }
  Call* call = free_.back();
  free_.pop_back();
  ++under_way_;
  return call;
}

void UnaryLoad::Send(Call& call, LoadClock::time_point intended) {
  std::unique_lock lock(mutex_);
  const std::uint64_t number = sent_++;
  if (options_.each_once && number >= pool_.size()) {
    lock.unlock();
    tally_.Broken(kPoolUsedUp);
    Free(call);
    return;
  }
  const std::string request_id = ids_.Next();
  lock.unlock();
  BrokerConnection* const connection =
      connections_.empty() ? nullptr : connections_[number % connections_.size()].get();
  call.Send(number % pool_.size(), request_id, connection, targets_[number % targets_.size()],
            intended);
}

std::string UnaryLoad::NextId() {
  const std::lock_guard lock(mutex_);
  return ids_.Next();
}

void UnaryLoad::Ended(Call& call) {
  const bool closed = std::holds_alternative<ClosedLoop>(options_.arrivals);
  if (closed && !stopping_ && !call.GaveUp()) {
    Send(call, LoadClock::now());
    return;
  }
  Free(call);
}

void UnaryLoad::Free(Call& call) {
  const std::lock_guard lock(mutex_);
  free_.push_back(&call);
  if (--under_way_ == 0) idle_.notify_all();
}

}  // namespace hourglass::bench
