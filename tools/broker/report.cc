#include "tools/broker/report.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tools/client/table.h"
#include "tools/client/wording.h"

namespace hourglass::broker {
namespace {

using client::Json;

std::string FilesInWords(const OutputPaths& paths) {
  if (paths.key == paths.certificate) return absl::StrCat(paths.certificate, " (with its key)");
  std::string words = paths.certificate;
  if (!paths.key.empty()) absl::StrAppend(&words, ", its key to ", paths.key);
  if (!paths.chain.empty()) absl::StrAppend(&words, ", its chain to ", paths.chain);
  return words;
}

}  // namespace

std::string ClockInWords(absl::Duration clock_lag) {
  if (absl::AbsDuration(clock_lag) <= kTolerableClockLag) return "";
  return absl::StrCat("this machine's clock is ", client::LengthInWords(clock_lag),
                      clock_lag > absl::ZeroDuration() ? " behind" : " ahead of", " the service's");
}

std::string CertificateInWords(const IssuedCertificate& issued, const Bearer& bearer,
                               const OutputPaths& paths) {
  const absl::Time now = issued.server_time;
  std::string words = absl::StrCat(
      "A certificate for ", client::Printable(bearer.user), " on ",
      client::Printable(bearer.device), ".\n",
      client::FormatFacts({{"Subject", issued.facts.subject},
                           {"Good for", absl::StrJoin(issued.facts.purposes, ", ")},
                           {"Until", client::TimeInWords(issued.facts.not_after, now)},
                           {"Renew after", client::TimeInWords(issued.renew_after, now)},
                           {"Issuer", issued.facts.issuer},
                           {"Serial number", client::Hex(issued.facts.serial_number)},
                           {"Key", issued.facts.key},
                           {"Written to", FilesInWords(paths)}}));
  const std::string clock = ClockInWords(issued.clock_lag);
  if (!clock.empty()) absl::StrAppend(&words, "Note: ", clock, ".\n");
  return words;
}

Json CertificateAsJson(const IssuedCertificate& issued, const Bearer& bearer,
                       const OutputPaths& paths) {
  Json json = {{"user_upn", bearer.user},
               {"device_id", bearer.device},
               {"tenant_id", bearer.tenant},
               {"subject", issued.facts.subject},
               {"issuer", issued.facts.issuer},
               {"serial_number", client::Hex(issued.facts.serial_number)},
               {"not_before", client::TimeForJson(issued.facts.not_before)},
               {"not_after", client::TimeForJson(issued.facts.not_after)},
               {"renew_after", client::TimeForJson(issued.renew_after)},
               {"server_time", client::TimeForJson(issued.server_time)},
               {"clock_lag_seconds", absl::ToInt64Seconds(issued.clock_lag)},
               {"purposes", issued.facts.purposes},
               {"key", issued.facts.key},
               {"verdict_id", issued.verdict_id},
               {"sha1_thumbprint", issued.facts.sha1_thumbprint},
               {"sha256_thumbprint", issued.facts.sha256_thumbprint},
               {"certificate_file", paths.certificate}};
  if (!paths.key.empty()) json["key_file"] = paths.key;
  if (!paths.chain.empty()) json["chain_file"] = paths.chain;
  return json;
}

}  // namespace hourglass::broker
