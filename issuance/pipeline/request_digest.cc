#include "issuance/pipeline/request_digest.h"

#include <initializer_list>

#include "absl/strings/str_cat.h"
#include "ca/encoding/digest.h"

namespace hourglass::issuance {

std::string RequestDigest(const Caller& caller, const v1::IssueCertificateRequest& request,
                          const DigestedHolder& holder) {
  const std::initializer_list<absl::string_view> fields = {caller.name,      request.tenant_id(),
                                                           holder.user_id,   holder.user_upn,
                                                           holder.device_id, request.pkcs10()};
  constexpr std::size_t kLongestLength = 21;
  std::size_t size = 0;
  for (const absl::string_view field : fields) size += kLongestLength + field.size();
  std::string content;
  content.reserve(size);
  // Each field behind its length, so that no two requests run together into the same octets.
  for (const absl::string_view field : fields) {
    absl::StrAppend(&content, field.size(), ":", field);
  }
  return ca::Sha256(content);
}

}  // namespace hourglass::issuance
