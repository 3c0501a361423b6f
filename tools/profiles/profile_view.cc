#include "tools/profiles/profile_view.h"

#include "absl/strings/match.h"

namespace hourglass::profiles {
namespace {

void Collect(const xml::Element& element, absl::string_view name,
             std::vector<const xml::Element*>& found) {
  for (const auto& child : element.children) {
    if (child->name == name) found.push_back(child.get());
    Collect(*child, name, found);
  }
}

}  // namespace

bool ProfileView::IsDeviceTunnel() const {
  return absl::EqualsIgnoreCase(Of("DeviceTunnel"), "true");
}

bool ProfileView::HasDeviceCompliance() const {
  const xml::Element* compliance =
      profile == nullptr ? nullptr : profile->Child("DeviceCompliance");
  return absl::EqualsIgnoreCase(ChildText(compliance, "Enabled"), "true");
}

absl::string_view ProfileView::Of(absl::string_view name) const { return ChildText(profile, name); }

absl::string_view ProfileView::OfNative(absl::string_view name) const {
  return ChildText(native, name);
}

ProfileView ViewOf(const xml::Element& root) {
  ProfileView view;
  if (root.name == "EapHostConfig") {
    view.host_config = &root;
  } else {
    view.profile = &root;
    view.native = root.Child("NativeProfile");
    view.authentication = root.Find({"NativeProfile", "Authentication"});
    // The element is Eap; some write UserMethod in its place.
    const std::vector<const xml::Element*> hosts = AllBelow(root, "EapHostConfig");
    if (!hosts.empty()) view.host_config = hosts.front();
  }
  if (view.host_config == nullptr) return view;
  view.outer = view.host_config->Find({"Config", "Eap"});
  if (view.outer == nullptr) return view;
  view.inner = view.outer->Find({"EapType", "Eap"});
  for (const xml::Element* eap : {view.inner, view.outer}) {
    if (view.tls == nullptr && ChildText(eap, "Type") == kEapTls) view.tls = eap->Child("EapType");
  }
  return view;
}

absl::string_view ChildText(const xml::Element* element, absl::string_view child) {
  const xml::Element* found = element == nullptr ? nullptr : element->Child(child);
  return found == nullptr ? absl::string_view() : found->Trimmed();
}

std::vector<const xml::Element*> AllBelow(const xml::Element& element, absl::string_view name) {
  std::vector<const xml::Element*> found;
  Collect(element, name, found);
  return found;
}

}  // namespace hourglass::profiles
