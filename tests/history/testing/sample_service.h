// A certificate authority as it should be, without replicas, database or time of its own: what
// histories for tests are made of.
#ifndef HOURGLASS_TESTS_HISTORY_TESTING_SAMPLE_SERVICE_H_
#define HOURGLASS_TESTS_HISTORY_TESTING_SAMPLE_SERVICE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>

#include "ca/authority.h"
#include "ca/issuers/root_states.h"
#include "ca/names/name.h"
#include "ca/request/certificate_request.h"
#include "ca/testing/test_ca.h"
#include "tests/history/history.h"

namespace hourglass::history {

inline constexpr char kSampleTenant[] = "contoso";

// One tenant. Each step is one transaction, at a time of the machine; what it is dated with is the
// wall clock of the replica that makes it, which is a few seconds wrong. Ends the process where
// something is asked for that cannot be. Not for several threads at once.
class SampleService {
 public:
  // Roots and serial numbers follow from `seed`. With sub keys, an intermediate of each root
  // issues.
  SampleService(std::uint32_t seed, bool sub_keys);

  // The wall clock of the replica of this number.
  static Timestamp WallClock(int replica, Uptime now);

  Changed CreateRoot(int replica, Uptime now);
  // Empty where root_states.h does not allow it. A promotion demotes the primary.
  std::optional<Changed> Move(const std::string& root_id, ca::RootMove move, int replica,
                              Uptime now);
  const std::map<std::string, ca::RootState>& roots() const { return states_; }
  // The root that was primary before the present one; empty where there is none.
  const std::string& primary_before() const { return primary_before_; }
  const std::string& primary() const { return primary_; }
  Uptime last_promotion() const { return last_promotion_; }

  // The number of the request's record, a new one or what was there before; empty where the primary
  // has changed since.
  std::optional<std::size_t> Intend(const std::string& request_id, int replica, Uptime now);
  // Its certificate, if its epoch is still the tenant's; released now, or before.
  std::optional<std::string> Release(std::size_t record, int replica, Uptime now);

  // All of it, as it is now.
  TenantHistory Tenant() const;

 private:
  void Record(const std::string& root_id, const std::string& action,
              std::optional<ca::RootState> from, ca::RootState to, int replica, Uptime now);
  void IntendIntermediate();
  std::string TakeOctets();

  std::mt19937 random_;
  ca::TestCa ca_;
  const ca::Subject subject_;
  const ca::RequestedKey key_;
  TenantHistory tenant_;
  std::map<std::string, ca::RootState> states_;
  std::map<std::string, int> generations_;
  std::map<std::string, ca::Time> last_leaves_;
  std::map<std::string, std::size_t> records_;
  std::map<std::size_t, ca::TbsCertificate> to_be_signed_;
  std::string primary_;
  std::string primary_before_;
  Uptime last_promotion_{0};
};

}  // namespace hourglass::history

#endif  // HOURGLASS_TESTS_HISTORY_TESTING_SAMPLE_SERVICE_H_
