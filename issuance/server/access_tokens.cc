#include "issuance/server/access_tokens.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "issuance/tokens/fetched_key_set.h"
#include "issuance/tokens/key_set_file.h"

namespace hourglass::issuance {
namespace {

std::string NameOf(const KeySetLocation& keys) { return keys.url.empty() ? keys.file : keys.url; }

std::string IdOf(const KeySetLocation& keys) {
  return absl::StrCat(NameOf(keys), "\n", keys.ca_file);
}

// A line is not to grow with what an issuer publishes.
constexpr std::size_t kMostSkippedTold = 10;

void Tell(const EventLog& log, const std::string& name, const KeySetHealth& health) {
  if (!health.fault.empty()) {
    log.Failure("key_set_failed",
                {{"source", name},
                 {"message", health.fault},
                 {"keys_before", absl::StrCat(health.keys == nullptr ? 0 : health.keys->size())}});
    return;
  }
  const std::vector<SkippedKey>& skipped = health.keys->skipped();
  const auto end =
      skipped.begin() + static_cast<std::ptrdiff_t>(std::min(skipped.size(), kMostSkippedTold));
  log.Info("key_set_read",
           {{"source", name},
            {"keys", absl::StrCat(health.keys->size())},
            {"skipped", absl::StrCat(skipped.size())},
            {"why_skipped",
             absl::StrJoin(skipped.begin(), end, "; ", [](std::string* out, const SkippedKey& key) {
               absl::StrAppend(out, key.name, ": ", key.why);
             })}});
}

std::shared_ptr<KeySetSource> Open(const KeySetLocation& keys, const Clock* clock,
                                   const EventLog* log) {
  KeySetNews news = [log, name = NameOf(keys)](const KeySetHealth& health) {
    Tell(*log, name, health);
  };
  if (keys.url.empty()) {
    return std::make_shared<KeySetFile>(keys.file, clock, std::chrono::steady_clock::now,
                                        std::move(news));
  }
  RefreshPace pace;
  pace.interval = keys.refresh;
  auto fetched =
      std::make_shared<FetchedKeySet>(HttpsRequest{.url = keys.url, .ca_file = keys.ca_file}, pace,
                                      clock, std::chrono::steady_clock::now, std::move(news));
  fetched->Start();
  return fetched;
}

// Whether `one` is worse off: without keys, failing, older.
bool IsWorse(const KeySetHealth& one, const KeySetHealth& other) {
  if ((one.keys == nullptr) != (other.keys == nullptr)) return one.keys == nullptr;
  if (one.fault.empty() != other.fault.empty()) return !one.fault.empty();
  return one.read_at < other.read_at;
}

}  // namespace

AccessTokens::AccessTokens(const std::map<std::string, IdentityConfig>& identities,
                           const Clock* clock, const EventLog* log) {
  std::map<std::string, KeySetLocation> locations;
  for (const auto& [tenant_id, identity] : identities) {
    if (!identity.access_token.has_value()) continue;
    const KeySetLocation& keys = identity.access_token->keys;
    const auto [known, is_new] = locations.emplace(IdOf(keys), keys);
    if (!is_new) known->second.refresh = std::min(known->second.refresh, keys.refresh);
  }
  for (const auto& [id, keys] : locations) sources_.emplace(id, Open(keys, clock, log));
  for (const auto& [tenant_id, identity] : identities) {
    if (!identity.access_token.has_value()) continue;
    const AccessTokenConfig& config = *identity.access_token;
    tenants_.emplace(tenant_id,
                     std::make_unique<TenantTokens>(config.rules, config.uses,
                                                    sources_.find(IdOf(config.keys))->second));
  }
}

std::map<std::string, KeySetHealth> AccessTokens::Health() const {
  std::map<std::string, KeySetHealth> healths;
  for (const auto& [id, source] : sources_) {
    KeySetHealth health = source->Health();
    const auto [known, is_new] = healths.try_emplace(id.substr(0, id.find('\n')), health);
    if (!is_new && IsWorse(health, known->second)) known->second = std::move(health);
  }
  return healths;
}

}  // namespace hourglass::issuance
