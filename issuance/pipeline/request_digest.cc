#include "issuance/pipeline/request_digest.h"

#include <initializer_list>

#include "absl/strings/str_cat.h"
#include "ca/encoding/digest.h"

namespace hourglass::issuance {

std::string RequestDigest(const Caller& caller, const v1::IssueCertificateRequest& request) {
  const std::initializer_list<const std::string*> fields = {
      &caller.name,          &request.tenant_id(), &request.user().id(),
      &request.user().upn(), &request.device_id(), &request.pkcs10()};
  constexpr std::size_t kLongestLength = 21;
  std::size_t size = 0;
  for (const std::string* field : fields) size += kLongestLength + field->size();
  std::string content;
  content.reserve(size);
  // Each field behind its length, so that no two requests run together into the same octets.
  for (const std::string* field : fields) absl::StrAppend(&content, field->size(), ":", *field);
  return ca::Sha256(content);
}

}  // namespace hourglass::issuance
