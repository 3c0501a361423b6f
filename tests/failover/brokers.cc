#include "tests/failover/brokers.h"

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>
#include <variant>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "hourglass/v1/roots.grpc.pb.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "tests/history/expected_errors.h"
#include "tests/history/history_folder.h"
#include "tests/history/service/call_outcome.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::failover {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::minutes kPatience(3);
constexpr std::chrono::minutes kAdministratorsPatience(1);
constexpr std::chrono::seconds kCallDeadline(10);
constexpr int kPace = 20;       // milliseconds from an answer to the next request
constexpr int kComeBack = 100;  // from a failure to the next try
// What is said of a promotion that was done by the call before, whose answer was lost.
constexpr char kMoveIllegal[] = "ROOT_MOVE_ILLEGAL";
constexpr int kRepeated = 8;  // every eighth request is asked for twice

absl::Status Failed(absl::string_view what) {
  return Error(ErrorReason::kInternalError, "", absl::StrCat("Brokers: ", what));
}

void DieUnlessOk(const absl::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
  std::abort();
}

// Of an outcome that is no certificate or root.
template <typename Outcome>
std::string FailureOf(const Outcome& outcome) {
  if (const auto* refused = std::get_if<history::Refused>(&outcome)) {
    return absl::StrCat(refused->code, " ", refused->reason, " ", refused->message);
  }
  const auto* unanswered = std::get_if<history::Unanswered>(&outcome);
  return unanswered == nullptr ? "" : absl::StrCat("no answer: ", unanswered->message);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Brokers>> Brokers::Start(Replicas& replicas,
                                                        const std::string& folder) {
  std::unique_ptr<Brokers> brokers(new Brokers(replicas));
  RETURN_IF_ERROR(brokers->Make(replicas, folder));
  return brokers;
}

Brokers::~Brokers() { Stop(LastRequest::kIsGivenUp).IgnoreError(); }

absl::Status Brokers::Make(Replicas& replicas, const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder + "/" + history::kClientsFolder, error);
  {
    const MutexLock lock(mutex_);
    received_.resize(addresses_.size());
  }
  ASSIGN_OR_RETURN(administrator_, Record(folder, "administrator"));
  administration_ = ChannelsAs(replicas, kAdministrator);
  for (int i = 0; i < kCount; ++i) {
    auto broker = std::make_unique<Broker>();
    broker->number = i + 1;
    broker->turn = i;
    broker->request = replicas.callers().Request();
    ASSIGN_OR_RETURN(broker->recorder, Record(folder, absl::StrCat("broker-", i + 1)));
    for (const auto& channel : ChannelsAs(replicas, kBroker)) {
      broker->stubs.push_back(v1::CertificateIssuer::NewStub(channel));
    }
    brokers_.push_back(std::move(broker));
  }
  for (const auto& broker : brokers_) {
    broker->thread = std::thread([this, raw = broker.get()] { Run(*raw); });
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<history::Recorder>> Brokers::Record(const std::string& folder,
                                                                   const std::string& client) {
  return history::Recorder::Open(
      absl::StrCat(folder, "/", history::kClientsFolder, "/", client, history::kLogSuffix), client,
      &machine_, &clock_);
}

std::vector<std::shared_ptr<grpc::Channel>> Brokers::ChannelsAs(Replicas& replicas,
                                                                absl::string_view caller) const {
  const TlsCredential& credential = replicas.callers().CredentialOf(caller);
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = ReadFileOrDie(replicas.callers().tls().trusted_roots_file());
  options.pem_cert_chain = ReadFileOrDie(credential.certificate_file);
  options.pem_private_key = ReadFileOrDie(credential.private_key_file);
  std::vector<std::shared_ptr<grpc::Channel>> channels;
  for (const std::string& address : addresses_) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    channels.push_back(
        grpc::CreateCustomChannel(address, grpc::SslCredentials(options), arguments));
  }
  return channels;
}

bool Brokers::IsGivenUp() {
  const MutexLock lock(mutex_);
  return ending_ == LastRequest::kIsGivenUp;
}

void Brokers::Pause(int milliseconds) {
  MutexLock lock(mutex_);
  changed_.wait_for(lock, std::chrono::milliseconds(milliseconds),
                    [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
                      return ending_ == LastRequest::kIsGivenUp;
                    });
}

void Brokers::Run(Broker& broker) {
  for (;;) {
    {
      const MutexLock lock(mutex_);
      if (ending_.has_value()) break;
    }
    AskUntilReceived(broker);
    // By the next replica, as whoever did not get the answer would.
    if (broker.named % kRepeated == 0) Ask(broker);
    Pause(kPace);
  }
  DieUnlessOk(broker.recorder->Close());
}

void Brokers::Name(Broker& broker) {
  broker.request.set_request_id(absl::StrCat("broker-", broker.number, "-", ++broker.named));
}

void Brokers::AskUntilReceived(Broker& broker) {
  Name(broker);
  const auto end = steady_clock::now() + kPatience;
  while (!IsGivenUp()) {
    const Outcome outcome = Ask(broker);
    if (std::holds_alternative<history::Received>(outcome)) return;
    const auto* refused = std::get_if<history::Refused>(&outcome);
    const bool is_final = refused != nullptr && !history::IsRetryable(*refused);
    if (is_final || steady_clock::now() > end) {
      const MutexLock lock(mutex_);
      lost_ = absl::StrCat(broker.request.request_id(), ": ", FailureOf(outcome));
      return;
    }
    if (refused != nullptr && refused->reason == history::kPrimaryChanged) Name(broker);
    Pause(kComeBack);
  }
}

Brokers::Outcome Brokers::Ask(Broker& broker) {
  const std::size_t replica = static_cast<std::size_t>(broker.turn++) % addresses_.size();
  history::IssueCall call;
  call.request_id = broker.request.request_id();
  v1::IssueCertificateResponse response;
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kCallDeadline);
  call.call = broker.recorder->Begin(kTenant, addresses_[replica]);
  const grpc::Status status =
      broker.stubs[replica]->IssueCertificate(&context, broker.request, &response);
  call.outcome = history::OutcomeOf(status, response);
  Outcome outcome = call.outcome;
  DieUnlessOk(broker.recorder->Write(std::move(call)));
  const MutexLock lock(mutex_);
  if (status.ok()) {
    ++received_[replica];
  } else {
    last_failure_ = FailureOf(outcome);
  }
  changed_.notify_all();
  return outcome;
}

template <typename Predicate>
absl::Status Brokers::WaitUntil(const Predicate& is_so) {
  MutexLock lock(mutex_);
  if (changed_.wait_for(lock, kPatience, is_so)) return absl::OkStatus();
  return Failed(absl::StrCat("waited in vain; last failure: ", last_failure_));
}

absl::Status Brokers::WaitForCertificates(int more) {
  std::vector<int> enough;
  {
    const MutexLock lock(mutex_);
    for (const int received : received_) enough.push_back(received + more);
  }
  return WaitUntil([&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    for (std::size_t i = 0; i < enough.size(); ++i) {
      if (received_[i] < enough[i]) return false;
    }
    return true;
  });
}

absl::Status Brokers::WaitForRefusal(const std::string& words) {
  return WaitUntil([&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return absl::StrContains(last_failure_, words);
  });
}

template <typename Call>
absl::Status Brokers::Administer(history::AdministrativeMethod method, const std::string& root_id,
                                 v1::Root* root, const Call& act) {
  std::string failure;
  bool may_be_done = false;
  const auto end = steady_clock::now() + kAdministratorsPatience;
  for (std::size_t turn = 0; steady_clock::now() < end; ++turn) {
    const std::size_t replica = turn % addresses_.size();
    const auto stub = v1::RootService::NewStub(administration_[replica]);
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kCallDeadline);
    history::AdministrativeCall call;
    call.method = method;
    call.call = administrator_->Begin(kTenant, addresses_[replica]);
    const grpc::Status status = act(*stub, &context, root);
    call.root_id = root_id.empty() ? root->root_id() : root_id;
    call.outcome = history::OutcomeOf(status, *root);
    failure = FailureOf(call.outcome);
    const auto* refused = std::get_if<history::Refused>(&call.outcome);
    const bool is_done = may_be_done && refused != nullptr && refused->reason == kMoveIllegal;
    may_be_done = true;
    RETURN_IF_ERROR(administrator_->Write(std::move(call)));
    if (status.ok() || is_done) return absl::OkStatus();
    Pause(kComeBack);
  }
  return Failed(absl::StrCat("the administrator: ", failure));
}

absl::Status Brokers::Promote() {
  v1::CreateRootRequest request;
  request.set_tenant_id(kTenant);
  request.mutable_duration()->set_seconds(365 * 86400);
  request.set_key_type(v1::EC_P256);
  v1::Root root;
  RETURN_IF_ERROR(
      Administer(history::AdministrativeMethod::kCreateRoot, "", &root,
                 [&](v1::RootService::Stub& stub, grpc::ClientContext* context, v1::Root* answer) {
                   return stub.CreateRoot(context, request, answer);
                 }));
  const v1::PromoteRootRequest promotion = ServiceClient::PromotionOf(root);
  return Administer(history::AdministrativeMethod::kPromoteRoot, root.root_id(), &root,
                    [&](v1::RootService::Stub& stub, grpc::ClientContext* context,
                        v1::Root* answer) { return stub.PromoteRoot(context, promotion, answer); });
}

absl::Status Brokers::Stop(LastRequest last) {
  {
    const MutexLock lock(mutex_);
    ending_ = last;
    changed_.notify_all();
  }
  for (const auto& broker : brokers_) {
    if (broker->thread.joinable()) broker->thread.join();
  }
  if (administrator_ != nullptr) {
    RETURN_IF_ERROR(administrator_->Close());
    administrator_.reset();
  }
  const MutexLock lock(mutex_);
  if (lost_.has_value()) return Failed(*lost_);
  return absl::OkStatus();
}

}  // namespace hourglass::failover
