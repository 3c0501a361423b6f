#include "tests/history/testing/sample_service.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ca/certificate/certificate.h"
#include "ca/issuers/intermediate_certificate.h"
#include "tests/support/pkcs10.h"

namespace hourglass::history {
namespace {

using ca::RootMove;
using ca::RootState;

// When the machine was started.
constexpr ca::Time kStart = std::chrono::sys_days(std::chrono::year(2026) / 11 / 20);
// Each replica is so much ahead of the one before it; the first is behind.
constexpr std::chrono::seconds kClockError(7);

template <typename Value>
Value OrDie(absl::StatusOr<Value> value) {
  if (value.ok()) return *std::move(value);
  std::fprintf(stderr, "SampleService: %s\n", value.status().ToString().c_str());
  std::abort();
}

ca::TestCaOptions OptionsOf(std::uint32_t seed, bool sub_keys) {
  ca::TestCaOptions options;
  options.now = kStart;
  options.seed = absl::StrCat("sample service ", seed);
  options.profile.lifetime = ca::kMinLeafLifetime;
  if (sub_keys) options.sub_key_type = hsm::KeyType::kEcP256;
  return options;
}

// One for all, since its key says nothing here.
const ca::RequestedKey& AKey() {
  static const ca::RequestedKey key =
      OrDie(ca::ParseCertificateRequest(MakeEcPkcs10(), ca::KeyPolicy()));
  return key;
}

absl::string_view ActionOf(RootMove move) {
  switch (move) {
    case RootMove::kPromote:
      return "root_promoted";
    case RootMove::kRollBack:
      return "root_rolled_back";
    case RootMove::kDemote:
      return "root_demoted";
    case RootMove::kRetire:
      return "root_retired";
    case RootMove::kDiscard:
      return "root_discarded";
  }
  return "";
}

}  // namespace

SampleService::SampleService(std::uint32_t seed, bool sub_keys)
    : random_(seed),
      ca_(OptionsOf(seed, sub_keys)),
      subject_(OrDie(ca::Subject::Create("alice@contoso.example", "id-1"))),
      key_(AKey()) {
  tenant_.tenant_id = kSampleTenant;
}

Timestamp SampleService::WallClock(int replica, Uptime now) {
  return kStart + now + (replica - 1) * kClockError;
}

std::string SampleService::TakeOctets() {
  std::string octets(ca::kSerialSize, '\0');
  for (char& octet : octets) octet = static_cast<char>(random_());
  return octets;
}

void SampleService::Record(const std::string& root_id, const std::string& action,
                           std::optional<RootState> from, RootState to, int replica, Uptime now) {
  const auto name = [](RootState state) { return std::string(ca::RootStateName(state)); };
  RootAction recorded;
  // Other tenants, and relying parties, take numbers of the same sequence.
  recorded.sequence = 3 * (tenant_.actions.size() + 1);
  recorded.at = WallClock(replica, now);
  recorded.action = action;
  recorded.root_id = root_id;
  recorded.from_state = from.has_value() ? name(*from) : "";
  recorded.to_state = name(to);
  recorded.committed_at = kStart + now;
  tenant_.actions.push_back(std::move(recorded));
  states_[root_id] = to;
}

Changed SampleService::CreateRoot(int replica, Uptime now) {
  // TestCa begins with a root.
  const int generation = tenant_.roots.empty() ? 1 : ca_.StageRoot();
  const std::string root_id = absl::StrCat("r", generation);
  generations_[root_id] = generation;
  const ca::RootCertificate& root = ca_.root(generation);
  tenant_.roots.push_back({root_id, RootState::kStaged, root.der(), root.not_after()});
  Record(root_id, "root_created", std::nullopt, RootState::kStaged, replica, now);
  ++tenant_.revision;
  return {RootState::kStaged, WallClock(replica, now)};
}

std::optional<Changed> SampleService::Move(const std::string& root_id, RootMove move, int replica,
                                           Uptime now) {
  const Timestamp at = WallClock(replica, now);
  const auto last_leaf = last_leaves_.find(root_id);
  const RootState from = states_.at(root_id);
  const absl::StatusOr<RootState> to = ca::StateAfter(
      {from,
       last_leaf == last_leaves_.end() ? std::nullopt : std::optional<ca::Time>(last_leaf->second),
       ca_.root(generations_.at(root_id)).not_after(),
       std::chrono::floor<std::chrono::seconds>(at)},
      move);
  if (!to.ok()) return std::nullopt;
  const bool is_new_primary = *to == RootState::kPrimary;
  if (is_new_primary) {
    if (!primary_.empty()) {
      Record(primary_, "root_demoted", RootState::kPrimary, RootState::kRetiring, replica, now);
    }
    primary_before_ = std::exchange(primary_, root_id);
    last_promotion_ = now;
    ++tenant_.epoch;
  }
  Record(root_id, std::string(ActionOf(move)), from, *to, replica, now);
  ++tenant_.revision;
  if (is_new_primary) IntendIntermediate();
  return Changed{*to, at};
}

// An issuing sub-key's, made when its root begins to sign, and once for each root.
void SampleService::IntendIntermediate() {
  const ca::IntermediateCertificate* const above =
      ca_.authority(generations_.at(primary_)).intermediate();
  if (above == nullptr) return;
  for (const RecordedIntermediate& there : tenant_.intermediates) {
    if (there.root_id == primary_) return;
  }
  tenant_.intermediates.push_back(
      {tenant_.epoch, primary_, above->serial_number(), above->der(), tenant_.actions.back().at});
}

std::optional<std::size_t> SampleService::Intend(const std::string& request_id, int replica,
                                                 Uptime now) {
  const auto [there, is_new] = records_.try_emplace(request_id, tenant_.certificates.size());
  if (!is_new) {
    if (tenant_.certificates[there->second].epoch != tenant_.epoch) return std::nullopt;
    return there->second;
  }
  const ca::Authority& authority = ca_.authority(generations_.at(primary_));
  const Timestamp at = WallClock(replica, now);
  ca::TbsCertificate tbs = OrDie(authority.Prepare(
      {subject_, key_, TakeOctets(), std::chrono::floor<std::chrono::seconds>(at)}));
  RecordedCertificate record;
  record.request_id = request_id;
  record.epoch = tenant_.epoch;
  record.root_id = primary_;
  record.serial_number = tbs.serial_number();
  if (authority.intermediate() != nullptr) {
    record.intermediate_serial_number = authority.intermediate()->serial_number();
  }
  record.to_be_signed = tbs.der();
  record.not_after = tbs.not_after();
  record.intended_at = at;
  record.intent_committed_at = kStart + now;
  ca::Time& last_leaf = last_leaves_[primary_];
  last_leaf = std::max(last_leaf, record.not_after);
  to_be_signed_.emplace(there->second, std::move(tbs));
  tenant_.certificates.push_back(std::move(record));
  return there->second;
}

std::optional<std::string> SampleService::Release(std::size_t record, int replica, Uptime now) {
  RecordedCertificate& recorded = tenant_.certificates[record];
  if (recorded.epoch != tenant_.epoch) return std::nullopt;
  if (!recorded.certificate.empty()) return recorded.certificate;
  const auto tbs = to_be_signed_.find(record);
  recorded.certificate =
      OrDie(ca_.authority(generations_.at(recorded.root_id)).Sign(std::move(tbs->second)));
  to_be_signed_.erase(tbs);
  recorded.released_at = WallClock(replica, now);
  recorded.release_committed_at = kStart + now;
  return recorded.certificate;
}

TenantHistory SampleService::Tenant() const {
  TenantHistory tenant = tenant_;
  for (RecordedRoot& root : tenant.roots) root.state = states_.at(root.root_id);
  return tenant;
}

}  // namespace hourglass::history
