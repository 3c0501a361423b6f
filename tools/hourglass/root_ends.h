// Warnings before the roots that sign, or are to sign, have ended.
#ifndef HOURGLASS_TOOLS_HOURGLASS_ROOT_ENDS_H_
#define HOURGLASS_TOOLS_HOURGLASS_ROOT_ENDS_H_

#include <google/protobuf/repeated_ptr_field.h>

#include <optional>
#include <string>

#include "absl/time/time.h"
#include "hourglass/v1/roots.pb.h"
#include "tools/client/failure.h"

namespace hourglass::cli {

// The end of the last root of a tenant that can sign: of those that are STAGED or PRIMARY the one
// that ends last. RETIRING ones are trusted too, but are meant to end.
struct LastRootsEnd {
  v1::Root root;
  // 90, 30, 14 or 7, the nearest; 0 where it has ended.
  int within_days = 0;
};

// Nothing where it is further away than 90 days, or there is no such root.
std::optional<LastRootsEnd> LastRootsEndOf(const google::protobuf::RepeatedPtrField<v1::Root>& of,
                                           absl::Time now);

// That it is near, and what to do; two lines, ended by a newline.
std::string EndInWords(const LastRootsEnd& end, absl::Time now);
// {"root_id", "not_after", "within_days"}.
client::Json EndAsJson(const LastRootsEnd& end);

}  // namespace hourglass::cli

#endif  // HOURGLASS_TOOLS_HOURGLASS_ROOT_ENDS_H_
