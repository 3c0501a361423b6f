#include "hsm/keyholder/remote_custodian.h"

#include <openssl/crypto.h>

#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "hsm/keyholder/protocol/protocol.h"
#include "hsm/keyholder/queue/call_queue.h"
#include "hsm/keyholder/recovery/recovery.h"
#include "hsm/keyholder/worker_link.h"

namespace hourglass::hsm {
namespace {

using keyholder::Reply;
using keyholder::Request;

CallQueue::Options QueueOptions(const std::variant<TokenUri, TpmConnection>& custodian,
                                const RemoteCustodianOptions& options, KeyObserver* observer) {
  CallQueue::Options queue;
  if (const auto* token = std::get_if<TokenUri>(&custodian)) {
    queue.name = FormatToken(*token);
    queue.pin_source = token->pin_source;
    queue.uri_of = [uri = *token](const KeySelector& selector) {
      return FormatKeyUri(
          TokenKeyUri{uri.label, uri.serial, selector.label, selector.id, /*module_path=*/"", ""});
    };
  } else {
    queue.name = "tpm:";
    queue.pin_source = std::get<TpmConnection>(custodian).pin_source;
    queue.pin_logs_in = false;
    queue.uri_of = [](const KeySelector& selector) {
      return absl::StrCat("tpm:handle=", selector.label);
    };
  }
  queue.wait = options.wait;
  queue.observer = observer;
  return queue;
}

class WorkerGroup final : public RemoteCustodian {
 public:
  WorkerGroup(const std::variant<TokenUri, TpmConnection>& custodian,
              const RemoteCustodianOptions& options, KeyObserver* observer)
      : custodian_(custodian),
        options_(options),
        name_(QueueOptions(custodian, options, observer).name),
        queue_(std::make_shared<CallQueue>(QueueOptions(custodian, options, observer))),
        parent_(options.parent != nullptr
                    ? options.parent
                    : ParentHere({options.program, options.environment, options.administration})) {}

  ~WorkerGroup() override {
    queue_->Stop();
    // The first link makes the others: once it has ended there are no more to come.
    first_link_.reset();
    links_.clear();
  }

  const std::string& name() const override { return name_; }

  absl::StatusOr<CustodianFacts> Greet() override {
    Request request;
    request.mutable_greet();
    ASSIGN_OR_RETURN(const Reply reply, Ask(std::move(request)));
    return ReadFacts(reply.facts());
  }

  absl::StatusOr<CustodialKey> Open(const KeySelector& selector) override {
    Request request;
    WriteSelector(selector, request.mutable_open());
    return AskForKey(selector, std::move(request), options_.hang_timeout);
  }

  absl::StatusOr<CustodialKey> Generate(const KeySelector& selector, KeyType type) override {
    Request request;
    WriteSelector(selector, request.mutable_generate()->mutable_key());
    request.mutable_generate()->set_key_type(static_cast<int>(type));
    ASSIGN_OR_RETURN(CustodialKey key,
                     AskForKey(selector, std::move(request), options_.generation_timeout));
    if (key.type != type) return Wrong("made a key of another type");
    return key;
  }

  absl::Status Destroy(const KeySelector& selector) override {
    Request request;
    WriteSelector(selector, request.mutable_destroy());
    RETURN_IF_ERROR(Ask(std::move(request)).status());
    queue_->Forget(selector);
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<KeyListing>> List() override {
    Request request;
    request.mutable_list();
    ASSIGN_OR_RETURN(const Reply reply, Ask(std::move(request)));
    std::vector<KeyListing> listings;
    listings.reserve(static_cast<std::size_t>(reply.listings_size()));
    for (const keyholder::Listing& message : reply.listings()) {
      ASSIGN_OR_RETURN(KeyListing listing, ReadListing(message));
      listings.push_back(std::move(listing));
    }
    return listings;
  }

  absl::StatusOr<std::string> SignDigest(const CustodialKey& key,
                                         absl::string_view digest) override {
    RETURN_IF_ERROR(EnsureLink());
    // Lives on where this object goes while one waits.
    const std::shared_ptr<CallQueue> queue = queue_;
    return queue->Sign(key, digest);
  }

  std::vector<absl::StatusOr<std::string>> SignDigests(
      const CustodialKey& key, absl::Span<const std::string> digests) override {
    const absl::Status link = EnsureLink();
    if (!link.ok()) return {digests.size(), link};
    const std::shared_ptr<CallQueue> queue = queue_;
    return queue->SignAll(key, digests);
  }

  absl::StatusOr<std::string> Seal(absl::string_view secret, const PcrSelection& registers,
                                   SealAuthorization authorization,
                                   absl::string_view recovery_code) override {
    Request request;
    keyholder::Seal& seal = *request.mutable_seal();
    seal.set_secret(secret.data(), secret.size());
    seal.mutable_registers()->Add(registers.begin(), registers.end());
    seal.set_authorization(static_cast<int>(authorization));
    seal.set_recovery_code(recovery_code.data(), recovery_code.size());
    return AskForOctets(std::move(request));
  }

  absl::StatusOr<std::string> Unseal(absl::string_view blob,
                                     absl::string_view recovery_code) override {
    Request request;
    request.mutable_unseal()->set_blob(blob.data(), blob.size());
    request.mutable_unseal()->set_recovery_code(recovery_code.data(), recovery_code.size());
    return AskForOctets(std::move(request));
  }

  CustodianStatus Status() const override { return queue_->Status(); }

 private:
  absl::Status Wrong(absl::string_view message) const {
    return Error(ErrorReason::kInternalError, name_, message);
  }

  absl::StatusOr<Reply> Ask(Request request) {
    return Ask(std::move(request), options_.hang_timeout);
  }

  absl::StatusOr<Reply> Ask(Request request, std::chrono::milliseconds timeout) {
    if (IsAdministrative(request) && !options_.administration) {
      return Error(ErrorReason::kKeyNotPermitted, name_,
                   "keys.administration is off: this service makes and destroys no keys");
    }
    RETURN_IF_ERROR(EnsureLink());
    const std::shared_ptr<CallQueue> queue = queue_;
    return queue->Ask(std::move(request), timeout,
                      options_.start_timeout + timeout + options_.wait);
  }

  absl::StatusOr<std::string> AskForOctets(Request request) {
    ASSIGN_OR_RETURN(Reply reply, Ask(std::move(request)));
    if (reply.octets().empty()) return Wrong("answered nothing");
    // Taken over rather than copied, as they may be secret.
    return std::move(*reply.mutable_octets());
  }

  absl::StatusOr<CustodialKey> AskForKey(const KeySelector& selector, Request request,
                                         std::chrono::milliseconds timeout) {
    ASSIGN_OR_RETURN(const Reply reply, Ask(std::move(request), timeout));
    ASSIGN_OR_RETURN(CustodialKey key, ReadKey(reply.key()));
    if (key.selector.label != selector.label ||
        (!selector.id.empty() && key.selector.id != selector.id)) {
      return Wrong("answered with another key than it was asked for");
    }
    RETURN_IF_ERROR(queue_->Hold(key));
    return key;
  }

  // Starts the first link with the first question.
  absl::Status EnsureLink() {
    std::call_once(first_link_once_, [this] { first_link_ = MakeLink(0, 1); });
    if (first_link_ != nullptr) return absl::OkStatus();
    return Error(ErrorReason::kKeyUnavailable, name_, "cannot start a thread");
  }

  std::unique_ptr<WorkerLink> MakeLink(int index, int threads) {
    WorkerLink::Options link;
    link.index = index;
    link.custodian = custodian_;
    link.remote = options_;
    link.parent = parent_;
    link.threads = threads;
    link.plan = [this, index](const CustodianFacts& facts) { return Plan(index, facts); };
    try {
      return std::make_unique<WorkerLink>(std::move(link), queue_.get());
    } catch (const std::system_error&) {
      return nullptr;
    }
  }

  // Called by each link, once its worker has logged in: how many threads the worker should have.
  int Plan(int index, const CustodianFacts& facts) {
    const int cores = static_cast<int>(std::thread::hardware_concurrency());
    const WorkerPlan plan = PlanWorkers(options_.workers, options_.sessions, facts, cores);
    if (index != 0) return plan.threads;
    // Only ever more: a link that is not needed any more does no harm.
    while (static_cast<int>(links_.size()) + 1 < plan.workers) {
      std::unique_ptr<WorkerLink> link =
          MakeLink(static_cast<int>(links_.size()) + 1, plan.threads);
      if (link == nullptr) break;
      links_.push_back(std::move(link));
    }
    return plan.threads;
  }

  const std::variant<TokenUri, TpmConnection> custodian_;
  const RemoteCustodianOptions options_;
  const std::string name_;
  const std::shared_ptr<CallQueue> queue_;
  const std::shared_ptr<WorkerParent> parent_;
  std::once_flag first_link_once_;
  std::unique_ptr<WorkerLink> first_link_;
  std::vector<std::unique_ptr<WorkerLink>> links_;  // by the thread of the first, then by ~
};

}  // namespace

std::unique_ptr<RemoteCustodian> RemoteCustodian::Create(
    const std::variant<TokenUri, TpmConnection>& custodian, const RemoteCustodianOptions& options,
    KeyObserver* observer) {
  return std::make_unique<WorkerGroup>(custodian, options, observer);
}

}  // namespace hourglass::hsm
