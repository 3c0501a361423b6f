#include "issuance/device_keys/statements.h"

#include <initializer_list>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace hourglass::issuance {
namespace {

// No certificate request, certificate, token or TLS handshake begins like this: what the key may
// sign elsewhere is no statement, and a statement is nothing there.
constexpr absl::string_view kProofVersion = "hourglass-device-proof-v1\n";
constexpr absl::string_view kEnrolmentVersion = "hourglass-device-enrolment-v1\n";

std::string Statement(absl::string_view version, std::initializer_list<absl::string_view> fields,
                      const StatementMark& mark) {
  std::string statement(version);
  const auto append = [&statement](absl::string_view field) {
    absl::StrAppend(&statement, field.size(), ":", field, "\n");
  };
  for (const absl::string_view field : fields) append(field);
  append(absl::BytesToHexString(mark.nonce));
  append(absl::StrCat(std::int64_t{mark.signed_at.time_since_epoch().count()}));
  return statement;
}

}  // namespace

std::string StatementOf(const DeviceQuestion& question, const StatementMark& mark) {
  return Statement(kProofVersion,
                   {question.tenant_id, question.user_id, question.user_upn, question.device_id,
                    absl::BytesToHexString(question.public_key_sha256), question.request_id},
                   mark);
}

std::string StatementOf(const DeviceEnrolment& enrolment, const StatementMark& mark) {
  return Statement(kEnrolmentVersion,
                   {enrolment.tenant_id, enrolment.device_id,
                    absl::BytesToHexString(enrolment.public_key_sha256)},
                   mark);
}

}  // namespace hourglass::issuance
