// The corpus of broken profiles: testdata/broken.txt, which says how it is written.
#ifndef HOURGLASS_TOOLS_PROFILES_BROKEN_PROFILES_H_
#define HOURGLASS_TOOLS_PROFILES_BROKEN_PROFILES_H_

#include <string>
#include <utility>
#include <vector>

#include "tools/profiles/profile_check.h"

namespace hourglass::profiles {

struct BrokenProfile {
  std::string name;
  ProfileFile profile;
  std::vector<ProfileFile> beside;
  Surroundings surroundings;
  std::vector<std::pair<int, std::string>> expected;  // line and rule, sorted
};

// All cases. `folder` has the corpus. Ends the test's process where the corpus is not written as it
// says: a case that does not change what it means to change would test nothing.
std::vector<BrokenProfile> BrokenProfiles(const std::string& folder);

}  // namespace hourglass::profiles

#endif  // HOURGLASS_TOOLS_PROFILES_BROKEN_PROFILES_H_
