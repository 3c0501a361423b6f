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
  std::size_t size = kLongestLength + holder.sid.size();
  for (const absl::string_view field : fields) size += kLongestLength + field.size();
  std::string content;
  content.reserve(size);
  // Each field behind its length, so that no two requests run together into the same octets.
  const auto append = [&content](absl::string_view field) {
    absl::StrAppend(&content, field.size(), ":", field);
  };
  for (const absl::string_view field : fields) append(field);
  // Journals have digests from before there were SIDs.
  if (!holder.sid.empty()) append(holder.sid);
  return ca::Sha256(content);
}

}  // namespace hourglass::issuance
