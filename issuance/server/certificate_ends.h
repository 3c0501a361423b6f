// When certificates end that the service cannot do without, told while there is time.
#ifndef HOURGLASS_ISSUANCE_SERVER_CERTIFICATE_ENDS_H_
#define HOURGLASS_ISSUANCE_SERVER_CERTIFICATE_ENDS_H_

#include <array>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ca/issuers/root_states.h"
#include "hsm/base/mutex.h"
#include "issuance/base/clock.h"
#include "issuance/base/recurring.h"
#include "issuance/log/event_log.h"
#include "issuance/store/tenant_store.h"

namespace hourglass::issuance {

// Looks when Watch is called, and every hour from then on, and logs a warning
// `certificate_ends_soon` when a certificate of the service itself ends within 30, 14 or 7 days, or
// a root that is PRIMARY or STAGED within 90, 30, 14 or 7, and an error `certificate_ended` when it
// has ended; each once, and the nearest of them only. Safe to use from several threads.
class CertificateEnds {
 public:
  // One of the service's own, as the configuration names it (`tls.certificate`), and the PEM that
  // is in use. What cannot be parsed is left out.
  struct Own {
    std::string name;
    std::string pem;
    // Of several certificates, whether it is the last to end that counts: of roots any does.
    bool any_will_do = false;
  };

  static constexpr std::array<ca::RootState, 3> kStates = {
      ca::RootState::kPrimary, ca::RootState::kStaged, ca::RootState::kRetiring};

  // What there was to see at the last look; of roots of all tenants together, however many.
  struct Seen {
    std::vector<std::pair<std::string, Timestamp>> own;
    struct Roots {
      // Of the first to end; the epoch where there is none.
      Timestamp first_end;
      // That have ended, or do so within 7, 14, 30, 90 days; each counts where it ends later too.
      std::array<std::uint64_t, 5> ending = {};
    };
    std::map<ca::RootState, Roots> roots;
  };
  static constexpr std::array<int, 5> kWithinDays = {0, 7, 14, 30, 90};
  // The furthest that is told of the service's own: who gives them out for 90 days knows already. A
  // root takes longer, every relying party must have the next one first.
  static constexpr int kOwnWithinDays = 30;

  // `store` and `clock` must outlive this object.
  CertificateEnds(const std::vector<Own>& own, TenantStore* store, const Clock* clock,
                  EventLog log);
  ~CertificateEnds() = default;
  CertificateEnds(const CertificateEnds&) = delete;
  CertificateEnds& operator=(const CertificateEnds&) = delete;

  // Starts a thread that looks. `each_minute`, where there is one, is called on it at once and
  // every minute from then on: what else of the service looks at the store now and then needs no
  // thread.
  void Watch(std::function<void()> each_minute = nullptr);
  // Looks now.
  void Look();

  Seen LastSeen() const;

 private:
  // What was told of one end, by what ends and when.
  using Told = std::map<std::pair<std::string, Timestamp>, int>;

  void LookAtRoots(Timestamp now, Seen* seen, Told* told) ABSL_EXCLUSIVE_LOCKS_REQUIRED(looking_);
  void LookAtRootsOf(absl::string_view tenant_id, Timestamp now, Seen* seen, Told* told)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(looking_);
  void TellOfRoot(const RootRecord& root, Timestamp now, Told* told) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(looking_);
  // What cannot be looked at now stays told: all whose name begins so.
  void KeepTold(absl::string_view beginning, Told* told) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(looking_);
  // The days of the nearest threshold that `end` is within, -1 for none.
  static int Threshold(Timestamp end, Timestamp now);
  // Whether the nearest threshold, `within_days`, is yet to be told; says so in `told`.
  bool IsNew(const std::string& what, Timestamp end, int within_days, Told* told) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(looking_);

  std::vector<std::pair<std::string, Timestamp>> own_;
  TenantStore& store_;
  const Clock& clock_;
  const EventLog log_;
  Mutex looking_;  // held by a look
  Told told_ ABSL_GUARDED_BY(looking_);
  mutable Mutex mutex_;
  Seen seen_ ABSL_GUARDED_BY(mutex_);
  std::optional<Recurring> watching_;  // the last: it uses what is above
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVER_CERTIFICATE_ENDS_H_
