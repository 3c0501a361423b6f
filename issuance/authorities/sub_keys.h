// The issuing sub-keys of this process: short-lived keys in its memory that sign leaves for roots
// whose own key is slow.
#ifndef HOURGLASS_ISSUANCE_AUTHORITIES_SUB_KEYS_H_
#define HOURGLASS_ISSUANCE_AUTHORITIES_SUB_KEYS_H_

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "ca/authority.h"
#include "hsm/base/mutex.h"
#include "issuance/base/clock.h"
#include "issuance/base/entropy.h"
#include "issuance/base/worker_pool.h"
#include "issuance/config/issuing_config.h"
#include "issuance/log/event_log.h"
#include "issuance/store/intermediate_store.h"

namespace hourglass::issuance {

// For whom a sub-key signs.
struct SubKeyOwner {
  TenantRecord tenant;
  std::string root_id;
  int generation = 0;
  // Of the tenant's primary: what signs the intermediate.
  std::shared_ptr<const ca::Authority> root;
};

// One sub-key a tenant, made when it is first asked for; nothing but this object and what it hands
// out ever holds its private key, which is on no disk and gone with the process. Every intermediate
// is in the store before it is signed, and again, signed, before it signs. Safe to call from
// several threads.
class SubKeys {
 public:
  // All pointers must outlive this object.
  SubKeys(IntermediateStore* store, Entropy* entropy, const Clock* clock, EventLog log);
  // Waits for renewals that are under way.
  ~SubKeys() { stopping_ = true; }

  // What signs the leaves of `owner` now: the sub-key that there is, if it is of the same root and
  // epoch and carries a whole leaf, or else a new one, which takes a signature by the root's key.
  // Errors: those of that key, of the store, and of ca::PrepareIntermediate.
  absl::StatusOr<std::shared_ptr<const ca::Authority>> SignerFor(const SubKeyOwner& owner,
                                                                 const SubKeyConfig& config);

  // Whether `signer`, which SignerFor gave, is still what it would give; false where it is to be
  // asked again. After half of the sub-key's life this starts its renewal and returns at once: the
  // old one signs on while it carries a whole leaf, and a renewal that fails is tried again after a
  // minute. True for an authority that has no sub-key.
  bool IsCurrent(absl::string_view tenant_id, const ca::Authority& signer);

 private:
  struct SubKey {
    SubKeyOwner owner;
    SubKeyConfig config;
    std::shared_ptr<const ca::Authority> signer;
    // Of the next renewal.
    Timestamp due;
    bool renewing = false;
  };

  absl::StatusOr<std::shared_ptr<const ca::Authority>> Make(const SubKeyOwner& owner,
                                                            const SubKeyConfig& config);
  absl::StatusOr<ca::IntermediateCertificate> Issue(const SubKeyOwner& owner,
                                                    const SubKeyConfig& config,
                                                    absl::string_view public_key);
  // `old` is held, so that what replaces it meanwhile cannot be taken for it.
  void Renew(const SubKeyOwner& owner, const SubKeyConfig& config,
             const std::shared_ptr<const ca::Authority>& old);
  Timestamp HalfLifeOf(const ca::Authority& signer) const;

  IntermediateStore* const store_;
  Entropy* const entropy_;
  const Clock* const clock_;
  const EventLog log_;
  std::atomic<bool> stopping_ = false;
  Mutex mutex_;
  // By tenant id.
  std::map<std::string, SubKey, std::less<>> sub_keys_ ABSL_GUARDED_BY(mutex_);
  // Renews. The last member: it is joined before the others go.
  WorkerPool workers_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_AUTHORITIES_SUB_KEYS_H_
