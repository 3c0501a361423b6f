#include "tools/hourglass/refusal_words.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tools/client/wording.h"

namespace hourglass::cli {

client::Json ReasonsAsJson(const Reasons& reasons) {
  client::Json json = client::Json::array();
  for (const v1::DenyReason& reason : reasons) {
    client::Json one = {{"setting", reason.setting()}, {"message", reason.message()}};
    if (!reason.remediation_url().empty()) one["remediation_url"] = reason.remediation_url();
    json.push_back(one);
  }
  return json;
}

std::string SettingsIn(const Reasons& reasons) {
  std::vector<std::string> settings;
  for (const v1::DenyReason& reason : reasons) {
    settings.push_back(client::Printable(reason.setting()));
  }
  return absl::StrJoin(settings, ", ");
}

std::string ReasonsInWords(const Reasons& reasons) {
  std::string text;
  for (const v1::DenyReason& reason : reasons) {
    absl::StrAppend(&text, "  ", client::Printable(reason.setting()), ": ",
                    client::Printable(reason.message()), "\n");
    if (reason.remediation_url().empty()) continue;
    absl::StrAppend(&text, "    ", client::Printable(reason.remediation_url()), "\n");
  }
  return text;
}

}  // namespace hourglass::cli
