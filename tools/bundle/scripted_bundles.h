// Roots, bundles of them, and a service that publishes these: what the tests of hourglass-bundle
// stand the program on.
#ifndef HOURGLASS_TOOLS_BUNDLE_SCRIPTED_BUNDLES_H_
#define HOURGLASS_TOOLS_BUNDLE_SCRIPTED_BUNDLES_H_

#include <grpcpp/grpcpp.h>

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "ca/bundle/trust_bundle.h"
#include "ca/encoding/digest.h"
#include "ca/issuers/root_certificate.h"
#include "hourglass/v1/trust_bundles.grpc.pb.h"
#include "hsm/base/mutex.h"
#include "hsm/key/signing_key.h"
#include "hsm/key/software_key.h"

namespace hourglass::bundle {

inline constexpr ca::Time kLongAgo = std::chrono::sys_days(std::chrono::year(2026) / 11 / 30);

// A root with its key. Ends the process where it cannot be made.
struct Root {
  explicit Root(int generation, hsm::KeyType type = hsm::KeyType::kEcP256)
      : id("r" + std::to_string(generation)), key(*hsm::GenerateSoftwareKey(type)) {
    certificate = ca::IssueRoot({.display_name = "Contoso",
                                 .generation = generation,
                                 .now = kLongAgo,
                                 .duration = std::chrono::days(365),
                                 .serial_entropy = std::string(16, 's')},
                                *key)
                      ->der();
  }
  ca::BundleRoot In(ca::RootState state) const { return {id, state, certificate}; }
  ca::RemovedRoot Gone() const { return {id, ca::Sha256(certificate)}; }

  std::string id;
  std::unique_ptr<hsm::SigningKey> key;
  std::string certificate;  // DER
};

inline ca::TrustBundle BundleOf(std::uint64_t version, std::vector<ca::BundleRoot> roots,
                                std::vector<ca::RemovedRoot> removed = {}) {
  return {.tenant_id = "contoso",
          .version = version,
          .changed_at = kLongAgo,
          .roots = std::move(roots),
          .removed = std::move(removed)};
}

// What the service sends of the bundle, signed by these in this order.
inline v1::TrustBundle Signed(const ca::TrustBundle& bundle, std::vector<const Root*> signers) {
  v1::TrustBundle message;
  message.set_tenant_id(bundle.tenant_id);
  message.set_version(bundle.version);
  message.set_document(*ca::EncodeTrustBundle(bundle));
  for (const ca::BundleRoot& root : bundle.roots) message.add_roots(root.certificate);
  for (const Root* root : signers) {
    const auto signature = *ca::SignTrustBundle(message.document(), root->certificate, *root->key);
    message.add_signatures()->set_root_sha256(signature.root_sha256);
    message.mutable_signatures()->rbegin()->set_signature(signature.signature);
  }
  return message;
}

using Acknowledgement = v1::AcknowledgeTrustBundleRequest;
using AcknowledgementAnswer = std::function<grpc::Status(const Acknowledgement&)>;

// Sends whoever watches what is published, and keeps what was acknowledged. Safe to call from
// several threads.
class Bundles final : public v1::TrustBundleService::Service {
 public:
  void Publish(const v1::TrustBundle& bundle) {
    const MutexLock lock(mutex_);
    newest_ = bundle;
    ++published_;
    changed_.notify_all();
  }
  // Ends every stream; all questions get this instead of a bundle until it is OK again.
  void Break(const grpc::Status& status) {
    const MutexLock lock(mutex_);
    status_ = status;
    ++broken_;
    changed_.notify_all();
  }
  // From now on streams bring nothing.
  void KeepSilent() {
    const MutexLock lock(mutex_);
    silent_ = true;
  }
  // The answers to acknowledgements, one after the other; all later ones are accepted.
  void Script(std::deque<AcknowledgementAnswer> answers) {
    const MutexLock lock(mutex_);
    answers_ = std::move(answers);
  }
  std::vector<Acknowledgement> acknowledged() {
    const MutexLock lock(mutex_);
    return acknowledged_;
  }
  std::vector<std::uint64_t> acknowledged_versions() {
    std::vector<std::uint64_t> versions;
    for (const Acknowledgement& one : acknowledged()) versions.push_back(one.version());
    return versions;
  }
  int watched() {
    const MutexLock lock(mutex_);
    return watched_;
  }

  grpc::Status GetTrustBundle(grpc::ServerContext*, const v1::GetTrustBundleRequest*,
                              v1::TrustBundle* bundle) override {
    const MutexLock lock(mutex_);
    *bundle = newest_;
    return status_;
  }

  grpc::Status WatchTrustBundle(grpc::ServerContext* context, const v1::WatchTrustBundleRequest*,
                                grpc::ServerWriter<v1::TrustBundle>* writer) override {
    MutexLock lock(mutex_);
    ++watched_;
    const int broken = broken_;
    int sent = 0;
    while (status_.ok() && broken_ == broken && !context->IsCancelled()) {
      if (sent == published_ || silent_) {
        // gRPC tells a thread of its own only when asked that the caller has hung up.
        changed_.wait_for(lock, std::chrono::milliseconds(20), [] { return false; });
        continue;
      }
      sent = published_;
      const v1::TrustBundle bundle = newest_;
      lock.unlock();
      writer->Write(bundle);
      lock.lock();
    }
    return status_.ok() ? grpc::Status(grpc::StatusCode::UNAVAILABLE, "broken") : status_;
  }

  grpc::Status AcknowledgeTrustBundle(grpc::ServerContext*, const Acknowledgement* request,
                                      v1::RelyingParty*) override {
    AcknowledgementAnswer answer;
    {
      const MutexLock lock(mutex_);
      acknowledged_.push_back(*request);
      if (answers_.empty()) return grpc::Status::OK;
      answer = answers_.front();
      answers_.pop_front();
    }
    return answer(*request);
  }

 private:
  Mutex mutex_;
  ConditionVariable changed_;
  v1::TrustBundle newest_ ABSL_GUARDED_BY(mutex_);
  grpc::Status status_ ABSL_GUARDED_BY(mutex_);
  int published_ ABSL_GUARDED_BY(mutex_) = 0;
  int broken_ ABSL_GUARDED_BY(mutex_) = 0;
  int watched_ ABSL_GUARDED_BY(mutex_) = 0;
  bool silent_ ABSL_GUARDED_BY(mutex_) = false;
  std::deque<AcknowledgementAnswer> answers_ ABSL_GUARDED_BY(mutex_);
  std::vector<Acknowledgement> acknowledged_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hourglass::bundle

#endif  // HOURGLASS_TOOLS_BUNDLE_SCRIPTED_BUNDLES_H_
