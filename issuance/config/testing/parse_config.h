// The smallest configuration, and what is wrong with others.
#ifndef HOURGLASS_ISSUANCE_CONFIG_TESTING_PARSE_CONFIG_H_
#define HOURGLASS_ISSUANCE_CONFIG_TESTING_PARSE_CONFIG_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "issuance/config/config.h"
#include "issuance/yaml/document.h"
#include "issuance/yaml/mapping.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {

inline constexpr char kSmallest[] = R"(listen: 127.0.0.1:0
data_directory: data
tls: {certificate: server.pem, private_key: server.key, trusted_roots: clients.pem}
callers:
  - {name: broker, identity: "dns:broker.local", roles: [broker], tenants: [contoso]}
keys: {software_directory: keys}
compliance: {embedded: {policy_directory: policies}}
)";

// What ParseConfig says of `text`, which must be wrong.
inline std::string MistakesOf(const std::string& text) {
  const auto config = ParseConfig(text, "/etc/h.yaml");
  EXPECT_THAT(config, FailsWith(ErrorReason::kConfigurationInvalid)) << text;
  return std::string(config.status().message());
}

// What ParseConfig says of the smallest configuration with `from` replaced by `to`.
inline std::string MistakesWith(const std::string& from, const std::string& to) {
  EXPECT_THAT(std::string(kSmallest), testing::HasSubstr(from));
  return MistakesOf(absl::StrReplaceAll(kSmallest, {{from, to}}));
}

// The same with `line`, the ninth, added.
inline std::string MistakesWithLine(const std::string& line) {
  return MistakesOf(absl::StrCat(kSmallest, "# one\n", line, "\n"));
}

// What is read of a document, and every mistake in it.
template <typename Result>
struct Read {
  Result result;
  std::string mistakes;
};

// What `reader` returns for the root of a document with this text, /etc/h.yaml.
template <typename Reader>
auto ReadText(const std::string& text, Reader reader) {
  yaml::Document document(text, "/etc/h.yaml");
  auto result = reader(document.Root());
  return Read<decltype(result)>{std::move(result), std::string(document.Finish().message())};
}

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_CONFIG_TESTING_PARSE_CONFIG_H_
