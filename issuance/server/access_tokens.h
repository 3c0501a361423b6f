// Part of the running service: the access tokens that tenants take, and their issuers' keys.
#ifndef HOURGLASS_ISSUANCE_SERVER_ACCESS_TOKENS_H_
#define HOURGLASS_ISSUANCE_SERVER_ACCESS_TOKENS_H_

#include <map>
#include <memory>
#include <string>

#include "issuance/base/clock.h"
#include "issuance/config/identity_config.h"
#include "issuance/log/event_log.h"
#include "issuance/tokens/key_set_source.h"
#include "issuance/tokens/tenant_tokens.h"

namespace hourglass::issuance {

// Safe to use from several threads.
class AccessTokens {
 public:
  // Tenants with the same file, or the same URL and authorities, share one source, which is fetched
  // as often as the one of them wants who wants it most. Reads files, and begins to fetch the rest,
  // each by a thread of its own, for which it does not wait. A set that is another than before is
  // the event `key_set_read` of `log`, with how many keys it has and which are skipped; one that
  // cannot be had is `key_set_failed`, told when it begins and when it fails otherwise. `clock` and
  // `log` must outlive this object.
  AccessTokens(const std::map<std::string, IdentityConfig>& identities, const Clock* clock,
               const EventLog* log);
  // Ends fetches that are under way, within about a second.
  ~AccessTokens() = default;
  AccessTokens(const AccessTokens&) = delete;
  AccessTokens& operator=(const AccessTokens&) = delete;

  // Of those that take tokens; lives as long as this object.
  const TokensByTenant* tenants() const { return &tenants_; }

  // How each source is doing, by its path or URL. Two that differ in their authorities alone count
  // as the one that is worse.
  std::map<std::string, KeySetHealth> Health() const;

 private:
  using Sources = std::map<std::string, std::shared_ptr<KeySetSource>>;

  // By their URL or path, and after a line feed the authorities of their server.
  Sources sources_;
  TokensByTenant tenants_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVER_ACCESS_TOKENS_H_
