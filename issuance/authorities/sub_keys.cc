#include "issuance/authorities/sub_keys.h"

#include <chrono>
#include <optional>

#include "absl/strings/escaping.h"
#include "ca/certificate/certificate.h"
#include "ca/issuers/intermediate_certificate.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "hsm/key/software_key.h"
#include "issuance/timekeeping/deciding_time.h"

namespace hourglass::issuance {
namespace {

// Tenants whose tokens are stuck may hold up this many renewals; the others are made in the
// meantime, and there are hours left for all.
constexpr int kWorkers = 2;
constexpr std::size_t kQueueLength = 1000;

constexpr std::chrono::minutes kRetryAfter(1);

// A request that takes a signer must still be able to use it.
constexpr std::chrono::minutes kMargin(1);

ca::Time Seconds(Timestamp time) { return std::chrono::floor<std::chrono::seconds>(time); }

// Whether a leaf made now, or within the margin, lies within the intermediate, or at least in all
// that the root itself allows: another sub-key would be no better then.
bool CarriesALeaf(const ca::Authority& signer, ca::Time now) {
  const ca::IssuerCertificate& intermediate = *signer.intermediate();
  const bool begins = now - signer.profile().backdate() >= intermediate.not_before() ||
                      intermediate.not_before() == signer.root().not_before();
  const bool ends = now + signer.profile().lifetime() + kMargin <= intermediate.not_after() ||
                    intermediate.not_after() == signer.root().not_after();
  return begins && ends;
}

bool IsOf(const SubKeyOwner& one, const SubKeyOwner& other) {
  return one.root_id == other.root_id && one.tenant.epoch == other.tenant.epoch;
}

}  // namespace

SubKeys::SubKeys(IntermediateStore* store, Entropy* entropy, const Clock* clock, EventLog log)
    : store_(store),
      entropy_(entropy),
      clock_(clock),
      log_(std::move(log)),
      workers_(kWorkers, kQueueLength) {}

absl::StatusOr<std::shared_ptr<const ca::Authority>> SubKeys::SignerFor(
    const SubKeyOwner& owner, const SubKeyConfig& config) {
  {
    const MutexLock lock(mutex_);
    const auto found = sub_keys_.find(owner.tenant.tenant_id);
    if (found != sub_keys_.end() && found->second.signer != nullptr &&
        IsOf(found->second.owner, owner) &&
        CarriesALeaf(*found->second.signer, Seconds(clock_->Now()))) {
      return found->second.signer;
    }
  }
  ASSIGN_OR_RETURN(std::shared_ptr<const ca::Authority> signer, Make(owner, config));
  const MutexLock lock(mutex_);
  sub_keys_[owner.tenant.tenant_id] = {owner, config, signer, HalfLifeOf(*signer), false};
  return signer;
}

bool SubKeys::IsCurrent(absl::string_view tenant_id, const ca::Authority& signer) {
  if (signer.intermediate() == nullptr) return true;
  const Timestamp now = clock_->Now();
  const MutexLock lock(mutex_);
  const auto found = sub_keys_.find(tenant_id);
  if (found == sub_keys_.end() || found->second.signer.get() != &signer) return false;
  SubKey& sub_key = found->second;
  if (!CarriesALeaf(signer, Seconds(now))) return false;
  const bool could_last_longer = signer.issuer().not_after() < signer.root().not_after();
  if (now < sub_key.due || sub_key.renewing || !could_last_longer) return true;
  sub_key.renewing = workers_.Submit([this, owner = sub_key.owner, config = sub_key.config,
                                      old = sub_key.signer] { Renew(owner, config, old); });
  return true;
}

void SubKeys::Renew(const SubKeyOwner& owner, const SubKeyConfig& config,
                    const std::shared_ptr<const ca::Authority>& old) {
  if (stopping_) return;
  absl::StatusOr<std::shared_ptr<const ca::Authority>> renewed = Make(owner, config);
  if (!renewed.ok()) {
    log_.Failure("sub_key_not_renewed", {{"tenant", owner.tenant.tenant_id},
                                         {"root", owner.root_id},
                                         {"message", std::string(renewed.status().message())}});
  }
  const MutexLock lock(mutex_);
  SubKey& sub_key = sub_keys_[owner.tenant.tenant_id];
  // A change of the primary made another one meanwhile.
  if (sub_key.signer != old) return;
  sub_key.renewing = false;
  if (renewed.ok()) {
    sub_key.signer = *std::move(renewed);
    sub_key.due = HalfLifeOf(*sub_key.signer);
  } else if (ReasonOf(renewed.status()) == ErrorReason::kPrimaryChanged) {
    // Another process made another root primary: the tenant is to be loaded anew.
    sub_key.signer = nullptr;
  } else if (ReasonOf(renewed.status()) != ErrorReason::kClockUntrusted) {
    // While the clock is doubted nobody asks, and a time by it would mean nothing afterwards.
    sub_key.due = clock_->Now() + kRetryAfter;
  }
}

Timestamp SubKeys::HalfLifeOf(const ca::Authority& signer) const {
  const Timestamp now = clock_->Now();
  return now + (Timestamp(signer.issuer().not_after()) - now) / 2;
}

absl::StatusOr<std::shared_ptr<const ca::Authority>> SubKeys::Make(const SubKeyOwner& owner,
                                                                   const SubKeyConfig& config) {
  ASSIGN_OR_RETURN(std::unique_ptr<hsm::SigningKey> key, hsm::GenerateSoftwareKey(config.key_type));
  ASSIGN_OR_RETURN(const ca::IntermediateCertificate intermediate,
                   Issue(owner, config, key->public_key()));
  ASSIGN_OR_RETURN(std::unique_ptr<ca::Authority> signer,
                   ca::Authority::CreateForSubKey(owner.root->root(), intermediate, std::move(key),
                                                  owner.root->profile()));
  log_.Info("sub_key_made", {{"tenant", owner.tenant.tenant_id},
                             {"root", owner.root_id},
                             {"serial", absl::BytesToHexString(intermediate.serial_number())},
                             {"not_after", ca::FormatTime(intermediate.not_after())}});
  return std::shared_ptr<const ca::Authority>(std::move(signer));
}

// In the order of a leaf: intent, signature, release (promises 3 and 6).
absl::StatusOr<ca::IntermediateCertificate> SubKeys::Issue(const SubKeyOwner& owner,
                                                           const SubKeyConfig& config,
                                                           absl::string_view public_key) {
  ASSIGN_OR_RETURN(const Timestamp now, DecidingTime(*clock_));
  ca::IntermediateSpecification specification;
  specification.display_name = owner.tenant.display_name;
  specification.generation = owner.generation;
  specification.now = Seconds(now);
  specification.lifetime = config.lifetime;
  ASSIGN_OR_RETURN(specification.serial_entropy, entropy_->Take(ca::kSerialSize));
  ASSIGN_OR_RETURN(ca::TbsIntermediate tbs,
                   owner.root->PrepareIntermediate(specification, public_key));
  IntermediateRecord record;
  record.tenant_id = owner.tenant.tenant_id;
  record.epoch = owner.tenant.epoch;
  record.root_id = owner.root_id;
  record.serial_number = tbs.serial_number();
  record.key_type = config.key_type;
  record.not_before = tbs.not_before();
  record.not_after = tbs.not_after();
  record.tbs_certificate = tbs.der();
  record.intended_at = now;
  RETURN_IF_ERROR(store_->AddIntermediate(record));
  ASSIGN_OR_RETURN(ca::IntermediateCertificate intermediate,
                   owner.root->SignIntermediate(std::move(tbs)));
  RETURN_IF_ERROR(store_->ReleaseIntermediate(
      record.tenant_id, record.root_id, record.serial_number, intermediate.der(), clock_->Now()));
  return intermediate;
}

}  // namespace hourglass::issuance
