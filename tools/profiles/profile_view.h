// The parts of a profile that checks ask for, whatever else is wrong with it.
#ifndef HOURGLASS_TOOLS_PROFILES_PROFILE_VIEW_H_
#define HOURGLASS_TOOLS_PROFILES_PROFILE_VIEW_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "tools/xml/xml_tree.h"

namespace hourglass::profiles {

// Numbers of EAP methods (RFC 3748 section 5).
inline constexpr absl::string_view kEapTls = "13";
inline constexpr absl::string_view kPeapType = "25";
inline constexpr absl::string_view kEapMschapv2 = "26";

// Found by local names, so that a wrong namespace is said once and not again by everything below.
// Each may be null. Lives as long as the tree.
struct ProfileView {
  const xml::Element* profile = nullptr;  // VPNProfile; null where the root is an EAP configuration
  const xml::Element* native = nullptr;   // NativeProfile
  const xml::Element* authentication = nullptr;
  const xml::Element* host_config = nullptr;  // EapHostConfig
  const xml::Element* outer = nullptr;        // its Eap
  const xml::Element* inner = nullptr;        // the Eap inside PEAP
  const xml::Element* tls = nullptr;          // EapType of EAP-TLS, the outer or the inner one

  // Both are meant by `True`, too, which is a mistake of its own.
  bool IsDeviceTunnel() const;
  // DeviceCompliance/Enabled is true.
  bool HasDeviceCompliance() const;
  // Text without white space around it, of a child of VPNProfile or NativeProfile; "" where it is
  // not there.
  absl::string_view Of(absl::string_view name) const;
  absl::string_view OfNative(absl::string_view name) const;
};

ProfileView ViewOf(const xml::Element& root);

// Text of the child without white space around it; "" where it is not there.
absl::string_view ChildText(const xml::Element* element, absl::string_view child);

// All of this local name below `element`, in the order of the text.
std::vector<const xml::Element*> AllBelow(const xml::Element& element, absl::string_view name);

}  // namespace hourglass::profiles

#endif  // HOURGLASS_TOOLS_PROFILES_PROFILE_VIEW_H_
