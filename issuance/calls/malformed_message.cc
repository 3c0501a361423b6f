#include "issuance/calls/malformed_message.h"

#include <google/protobuf/descriptor.h>

#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"

namespace hourglass::issuance {

absl::Status MalformedMessage(absl::string_view type) {
  return Error(ErrorReason::kFieldInvalid, "",
               absl::StrCat("the message is no hourglass.v1.", type,
                            ": its octets are malformed or too many, or a text in it is no UTF-8"));
}

int IndexOfMethod(absl::string_view service, absl::string_view method) {
  const google::protobuf::ServiceDescriptor* const described =
      google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(std::string(service));
  const google::protobuf::MethodDescriptor* const found =
      described == nullptr ? nullptr : described->FindMethodByName(std::string(method));
  if (found == nullptr) std::abort();
  return found->index();
}

}  // namespace hourglass::issuance
