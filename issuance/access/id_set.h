// Sets of object ids.
#ifndef HOURGLASS_ISSUANCE_ACCESS_ID_SET_H_
#define HOURGLASS_ISSUANCE_ACCESS_ID_SET_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/string_view.h"

namespace hourglass::access {

// Ids whose letters' case does not count, such as a user's groups. Immutable; a copy shares what it
// is a copy of, so that a directory makes the set of a user with many groups once. Safe to read
// from several threads.
class IdSet {
 public:
  IdSet() : IdSet(std::vector<std::string>()) {}
  explicit IdSet(const std::vector<std::string>& ids) {
    auto folded = std::make_shared<absl::flat_hash_set<std::string>>();
    folded->reserve(ids.size());
    for (const std::string& id : ids) folded->insert(absl::AsciiStrToLower(id));
    ids_ = std::move(folded);
  }

  // Whether it has this id, whose letters must be small.
  bool HasFolded(absl::string_view id) const { return ids_->contains(id); }
  bool Has(absl::string_view id) const { return HasFolded(absl::AsciiStrToLower(id)); }
  std::size_t size() const { return ids_->size(); }

 private:
  std::shared_ptr<const absl::flat_hash_set<std::string>> ids_;
};

}  // namespace hourglass::access

#endif  // HOURGLASS_ISSUANCE_ACCESS_ID_SET_H_
