#include "tools/gatewayd/concern.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "ca/names/name.h"
#include "tools/client/wording.h"

namespace hourglass::gatewayd {
namespace {

std::string InWords(const v1::DecisionEvent& event) {
  std::vector<std::string> parts;
  if (!event.device_id().empty()) parts.push_back(absl::StrCat("device ", event.device_id()));
  const std::string& user = event.user_upn().empty() ? event.user_id() : event.user_upn();
  if (!user.empty()) parts.push_back(absl::StrCat("user ", user));
  return client::Printable(
      absl::StrCat(v1::DecisionEvent::Kind_Name(event.kind()), " ", absl::StrJoin(parts, ", ")));
}

// As ca::Subject::common_name has it: the id of a user stands there only where the name is too long
// for it, and names nobody else then.
ConcernedUser UserOf(const std::string& upn, const std::string& user_id) {
  const absl::StatusOr<ca::Subject> subject = ca::Subject::Create(upn, user_id);
  return {.upn = upn, .common_name = subject.ok() ? subject->common_name() : ""};
}

}  // namespace

std::string SerialText(absl::string_view octets) {
  while (!octets.empty() && octets.front() == '\0') octets.remove_prefix(1);
  return client::Hex(octets);
}

Concern ConcernOf(const v1::DecisionEvent& event, absl::Time came) {
  Concern concern;
  concern.cursor = event.cursor();
  concern.words = InWords(event);
  concern.at = client::TimeOf(event.at());
  concern.until = concern.at + kSlack;
  // It came at once, whatever the clocks say: what is there now was there then.
  if (absl::AbsDuration(came - concern.at) <= kClockDifference) {
    concern.until = std::max(concern.until, came);
  }
  if (!event.user_upn().empty()) {
    concern.users.insert(UserOf(event.user_upn(), event.user_id()));
  }
  for (const v1::LiveCertificate& certificate : event.certificates()) {
    concern.certificates[SerialText(certificate.serial_number())] =
        client::TimeOf(certificate.not_after());
    if (!certificate.user_upn().empty()) {
      concern.users.insert(UserOf(certificate.user_upn(), certificate.user_id()));
    }
  }
  concern.also_others_of_user = event.device_id().empty() || !event.certificates_complete();
  return concern;
}

bool IsLive(const Concern& concern, absl::Time now) {
  return std::any_of(concern.certificates.begin(), concern.certificates.end(),
                     [now](const auto& certificate) { return certificate.second > now; });
}

bool IsOver(const Concern& concern, absl::Time now) {
  return now > concern.at + kLongestLife && !IsLive(concern, now);
}

Match MatchOf(const Concern& concern, const Tunnel& tunnel, bool is_of_user) {
  if (!tunnel.serial_number.empty()) {
    if (concern.certificates.contains(tunnel.serial_number)) return Match::kByCertificate;
    if (!concern.also_others_of_user) return Match::kNone;
  }
  return is_of_user && tunnel.since <= concern.until ? Match::kByName : Match::kNone;
}

}  // namespace hourglass::gatewayd
